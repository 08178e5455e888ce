// SPDX-License-Identifier: Apache-2.0
#include "tests/testlib/vectors.h"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>

namespace testlib {
namespace {

[[noreturn]] void Fail(const std::filesystem::path& path, const char* why) {
  std::cerr << path << ": " << why << std::endl;
  std::abort();
}

}  // namespace

std::filesystem::path VectorPath(std::string_view name) {
  return std::filesystem::path(CLAVIGER_TEST_VECTORS) / name;
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string content(std::istreambuf_iterator<char>(file), {});
  if (!file.is_open() || file.bad()) {
    Fail(path, "cannot be read");
  }
  return content;
}

nlohmann::json ReadJsonVectors(std::string_view name) {
  const std::filesystem::path path = VectorPath(name);
  auto json = nlohmann::json::parse(ReadFile(path), nullptr,
                                    /*allow_exceptions=*/false);
  if (json.is_discarded()) {
    Fail(path, "is not JSON");
  }
  return json;
}

}  // namespace testlib
