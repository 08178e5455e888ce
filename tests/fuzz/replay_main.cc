// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target over every file of the folders that are named, without
// libFuzzer: the corpus as an ordinary test, in any preset, with any compiler.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <vector>

// The name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* data, std::size_t size);

namespace {

bool Replay(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> input(std::istreambuf_iterator<char>(file), {});
  if (!file.is_open() || file.bad()) {
    std::fprintf(stderr, "%s: cannot be read\n", path.c_str());
    return false;
  }
  // Printed before it runs: when it crashes, the last line names the file.
  std::printf("%s\n", path.c_str());
  std::fflush(stdout);
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()),
                         input.size());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t inputs = 0;
  for (int i = 1; i < argc; ++i) {
    std::error_code error;
    std::filesystem::directory_iterator folder(argv[i], error);
    for (const auto& entry : folder) {
      if (!Replay(entry.path())) {
        return 1;
      }
      ++inputs;
    }
  }
  std::printf("%zu inputs run\n", inputs);
  if (inputs == 0) {
    std::fprintf(stderr, "the corpus is empty: nothing was tested\n");
    return 1;
  }
  return 0;
}
