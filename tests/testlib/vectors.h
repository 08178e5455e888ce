// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_TESTLIB_VECTORS_H_
#define TESTS_TESTLIB_VECTORS_H_

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace testlib {

// The path of a file below tests/vectors.
std::filesystem::path VectorPath(std::string_view name);

// A whole file; a vector file as JSON. Both abort, naming the file, if it
// cannot be read: a test without its vectors tests nothing.
std::string ReadFile(const std::filesystem::path& path);
nlohmann::json ReadJsonVectors(std::string_view name);

}  // namespace testlib

#endif  // TESTS_TESTLIB_VECTORS_H_
