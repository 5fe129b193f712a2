# docs/add_an_op.md, followed to the letter: its diffs are applied to a copy of the sources, which is built and tested.
# SOURCE, WORK, GENERATOR, COMPILER, LAUNCHER
file(REMOVE_RECURSE ${WORK}/source)
file(MAKE_DIRECTORY ${WORK}/source)
file(COPY ${SOURCE}/CMakeLists.txt ${SOURCE}/lib ${SOURCE}/include ${SOURCE}/tests ${SOURCE}/docs ${SOURCE}/README.md
     DESTINATION ${WORK}/source)
file(READ ${SOURCE}/docs/add_an_op.md text)
string(REPLACE ";" "<semicolon>" text "${text}")
string(REPLACE "[" "<open>" text "${text}")
string(REPLACE "]" "<close>" text "${text}")
string(REGEX MATCHALL "```diff\n[^`]*```" blocks "${text}")
list(LENGTH blocks count)
if(NOT count EQUAL 4)
  message(FATAL_ERROR "the page has ${count} diffs, not 4")
endif()
set(diffs "")
foreach(block IN LISTS blocks)
  string(REGEX REPLACE "^```diff\n" "" block "${block}")
  string(REGEX REPLACE "```$" "" block "${block}")
  string(APPEND diffs "${block}")
endforeach()
string(REPLACE "<semicolon>" ";" diffs "${diffs}")
string(REPLACE "<open>" "[" diffs "${diffs}")
string(REPLACE "<close>" "]" diffs "${diffs}")
file(WRITE ${WORK}/sinc.diff "${diffs}")
execute_process(COMMAND patch -p1 --no-backup-if-mismatch -i ${WORK}/sinc.diff WORKING_DIRECTORY ${WORK}/source COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} -S ${WORK}/source -B ${WORK}/build -G ${GENERATOR} -DCMAKE_BUILD_TYPE=Release
                        -DCMAKE_CXX_COMPILER=${COMPILER} -DXTGRAD_EXAMPLES=OFF
                        -DXTGRAD_INSTRUCTION_SETS= -DCMAKE_CXX_FLAGS_RELEASE=-O0
                OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${WORK}/build --target test_ops COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${WORK}/build/tests/test_ops COMMAND_ERROR_IS_FATAL ANY)
