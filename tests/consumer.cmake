# Builds and runs tests/consumer as users do: against this build, installed, with and without XTENSOR_USE_XSIMD, by the
# library's compiler and by clang++; and with the source tree as a subdirectory, as a shared library.
# Needs SOURCE, BUILD, WORK, GENERATOR, COMPILER, BUILD_TYPE; FLAGS may be empty.
cmake_minimum_required(VERSION 3.20)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE failed OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(failed)
    list(JOIN ARGN " " command)
    message("${output}")
    message(FATAL_ERROR "failed (${failed}): ${command}")
  endif()
endfunction()

find_program(CCACHE ccache)
if(CCACHE)
  set(launcher -DCMAKE_CXX_COMPILER_LAUNCHER=${CCACHE})
endif()

function(consume name compiler)
  message(STATUS ${name})
  run(${CMAKE_COMMAND} -S ${SOURCE}/tests/${project} -B ${WORK}/${name} -G ${GENERATOR} -DCMAKE_CXX_COMPILER=${compiler}
      -DCMAKE_BUILD_TYPE=${BUILD_TYPE} -DCMAKE_CXX_FLAGS=${FLAGS} ${launcher} ${ARGN})
  run(${CMAKE_COMMAND} --build ${WORK}/${name} --parallel 2)
  run(${WORK}/${name}/consumer)
endfunction()

set(project consumer)
file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix)

set(compilers ${COMPILER})
find_program(CLANG NAMES clang++ clang++-14)
if(CLANG AND NOT FLAGS MATCHES "-fsanitize")  # the sanitizers' runtimes do not mix
  list(APPEND compilers ${CLANG})
endif()
list(REMOVE_DUPLICATES compilers)
foreach(compiler IN LISTS compilers)
  get_filename_component(short ${compiler} NAME)
  consume(${short} ${compiler} -Dxtgrad_ROOT=${WORK}/prefix)
  consume(${short}_xsimd ${compiler} -Dxtgrad_ROOT=${WORK}/prefix -DUSE_XSIMD=ON)
endforeach()
file(GLOB_RECURSE mpi ${WORK}/prefix/xtgradMpiTargets.cmake)
if(mpi)
  set(project consumer/mpi)
  consume(mpi ${COMPILER} -Dxtgrad_ROOT=${WORK}/prefix)
  set(project consumer)
endif()
consume(subdirectory ${COMPILER} -DXTGRAD_SOURCE=${SOURCE} -DBUILD_SHARED_LIBS=ON
        -DXTGRAD_INSTRUCTION_SETS= -DCMAKE_CXX_FLAGS_RELEASE=-O0)
