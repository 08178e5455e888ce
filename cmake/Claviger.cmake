# SPDX-License-Identifier: Apache-2.0
# Flags that every target of ours gets, and the two functions that declare them.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# One cache serves every clone: objects do not name the folder that they were
# built in (-ffile-prefix-map).
find_program(CCACHE ccache)
if(CCACHE)
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}
      CCACHE_NOHASHDIR=1 ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
endif()

add_library(claviger_flags INTERFACE)
target_include_directories(claviger_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(claviger_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wno-missing-field-initializers -Wconversion -Wno-sign-conversion
  -Wformat=2 -Wundef -Werror
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Woverloaded-virtual>
  -fstack-protector-strong -fcf-protection
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
target_compile_definitions(claviger_flags INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
  BOOST_ASIO_NO_DEPRECATED
  CLAVIGER_VERSION="${PROJECT_VERSION}"
  $<$<CONFIG:Release,RelWithDebInfo>:_FORTIFY_SOURCE=2>)
target_link_options(claviger_flags INTERFACE -Wl,-z,relro,-z,now -Wl,-z,noexecstack)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # clang 14 implements C++20 coroutines in namespace std but does not yet say
  # so; libstdc++ and Asio ask these macros.
  target_compile_definitions(claviger_flags INTERFACE
    __cpp_impl_coroutine=201902L
    BOOST_ASIO_HAS_CO_AWAIT=1 BOOST_ASIO_HAS_STD_COROUTINE=1)
  target_compile_options(claviger_flags INTERFACE -Wno-builtin-macro-redefined)
endif()

# claviger_library(NAME SOURCES a.cc... DEPS targets...)
# A folder's static library; its name is the folder's path with underscores.
function(claviger_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC claviger_flags ${ARG_DEPS})
endfunction()

# claviger_without_coverage(targets...)
# What a fuzzer links but does not hunt in: of coroutines, clang 14 can instrument
# addresses, but neither coverage nor undefined behaviour ("Cannot represent a
# difference across sections").
function(claviger_without_coverage)
  if(CLAVIGER_FUZZ)
    foreach(target ${ARGN})
      target_compile_options(${target} PRIVATE
                             -fno-sanitize=fuzzer-no-link,undefined)
    endforeach()
  endif()
endfunction()

# claviger_test(NAME SOURCES a_test.cc... DEPS targets... [LABELS l...])
# One GoogleTest program of tests/, and the ctest entry that runs it whole.
function(claviger_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;DEPS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE claviger_flags ${ARG_DEPS}
                        GTest::gmock GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT})
  if(ARG_LABELS)
    set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}")
  endif()
endfunction()

# claviger_excuse_softhsm_leaks(TEST)
# For a test that loads SoftHSM into its own process: what SoftHSM leaks is told
# by its name on the stack. OpenSSL has no frame pointers, so that only the slow
# unwinder gets there.
function(claviger_excuse_softhsm_leaks name)
  set_tests_properties(${name} PROPERTIES ENVIRONMENT
    "ASAN_OPTIONS=fast_unwind_on_malloc=0;LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/hsm/softhsm_leaks.txt")
endfunction()
