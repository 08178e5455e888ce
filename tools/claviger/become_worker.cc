// SPDX-License-Identifier: Apache-2.0
#include "tools/claviger/become_worker.h"

#include <unistd.h>

#include <filesystem>

#include "tools/claviger/files.h"

namespace tools::claviger {

base::Result<int> BecomeWorker(std::vector<std::string> arguments) {
  std::error_code error;
  const std::filesystem::path self =
      std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) {
    return base::Error{base::ErrorCode::kIo,
                       "/proc/self/exe: " + error.message()};
  }
  std::string worker = (self.parent_path() / "claviger-hsm").string();
  std::vector<char*> pointers = {worker.data()};
  pointers.reserve(arguments.size() + 2);
  for (std::string& argument : arguments) {
    pointers.push_back(argument.data());
  }
  pointers.push_back(nullptr);
  execv(worker.c_str(), pointers.data());
  return SystemError(worker);
}

}  // namespace tools::claviger
