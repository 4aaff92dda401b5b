# Compile options of every target, and the one way to declare a library of the house.
add_library(hotpair_options INTERFACE)
target_include_directories(hotpair_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(hotpair_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-align
  -Wconversion -Wsign-conversion -Wduplicated-cond -Wnull-dereference -fno-omit-frame-pointer
  $<$<BOOL:${HOTPAIR_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_compile_options(hotpair_options INTERFACE -Wno-unknown-warning-option)
endif()
# g++ 12 reports null dereferences, and overlapping copies in "literal" + string, inside its own inlined
# standard library (GCC bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  target_compile_options(hotpair_options INTERFACE -Wno-null-dereference -Wno-restrict)
endif()
# Addresses are bound before the first packet, and not to be overwritten after.
target_link_options(hotpair_options INTERFACE -Wl,-z,relro,-z,now)
if(HOTPAIR_SANITIZE)
  # Not two of them: a null pointer faults anyway, and together they take a quarter of the compile time.
  target_compile_options(hotpair_options INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all
    -fno-sanitize=null,vptr)
  target_link_options(hotpair_options INTERFACE -fsanitize=address,undefined)
  # g++ takes variants that it instruments for uninitialised; the sanitizers see the real ones.
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    target_compile_options(hotpair_options INTERFACE -Wno-maybe-uninitialized)
  endif()
endif()
# A fuzzer finds its way by what the libraries execute, not only by what its own file does.
if(HOTPAIR_FUZZ)
  target_compile_options(hotpair_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# hotpair_library(name sources... ): a static library with the project's options.
function(hotpair_library name)
  add_library(${name} STATIC ${ARGN})
  target_link_libraries(${name} PUBLIC hotpair_options)
endfunction()

# hotpair_sources(out): every .cpp of the calling folder.
function(hotpair_sources out)
  file(GLOB found CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  set(${out} ${found} PARENT_SCOPE)
endfunction()

# hotpair_precompile(target headers...): the standard headers that most files include, and those named. Most of a cold
# build is reading them again and again.
function(hotpair_precompile target)
  if(HOTPAIR_PRECOMPILE)
    target_precompile_headers(${target} PRIVATE <algorithm> <array> <atomic> <chrono> <functional> <map> <memory> <mutex>
      <optional> <span> <string> <string_view> <unordered_map> <utility> <variant> <vector> ${ARGN})
    # What came precompiled g++ no longer takes for the system's, and judges what it inlines of it.
    target_compile_options(${target} PRIVATE -Wno-stringop-overflow -Wno-stringop-overread -Wno-array-bounds)
  endif()
endfunction()

# hotpair_hot(target): where the work for a session, or for a simulated second, is done. The others are as fast with less,
# and compile in two thirds of the time.
function(hotpair_hot target)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O3> $<$<CONFIG:Debug>:-O1>)
endfunction()

# hotpair_unhurried(target): runs for as long as a person types, and is compiled for it.
function(hotpair_unhurried target)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
endfunction()
