# With C++20, which xtgrad asks for, xtensor before 0.26 needs template template arguments matched as before P0522: otherwise
# g++ compiles expressions of any rank to wrong results, and clang from 19 on nothing (docs/pitfalls.md). Included by the build
# and, since a user may have another xtensor than the builder, by each find_package.
if(NOT "${xtensor_VERSION}" VERSION_GREATER_EQUAL 0.26)  # or unknown: newer ones do not mind
  set(xtgrad_xtensor_options
      $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-new-ttp-matching>
      "$<$<AND:$<COMPILE_LANG_AND_ID:CXX,Clang>,$<VERSION_GREATER_EQUAL:$<CXX_COMPILER_VERSION>,19>>:-fno-relaxed-template-template-args;-Wno-deprecated-no-relaxed-template-template-args>")
else()
  set(xtgrad_xtensor_options "")
endif()
