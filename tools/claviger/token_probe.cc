// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "tools/claviger/files.h"
#include "tools/claviger/verb.h"

namespace tools::claviger {
namespace {

using base::Error;
using base::ErrorCode;

constexpr const char* kModule = "--module";
constexpr const char* kToken = "--token";
constexpr const char* kPinFile = "--pin-file";

constexpr auto kOptions = std::to_array<Option>({
    {kModule, "The token's PKCS#11 module", OptionKind::kText, true},
    {kToken, "URI of the token, such as pkcs11:token=claviger",
     OptionKind::kText, true},
    {kPinFile, "File that holds the PIN", OptionKind::kText, true},
});

// The worker that was built or installed with this program, not whatever PATH
// finds: it will be given the PIN.
base::Result<std::string> WorkerPath() {
  std::error_code error;
  const std::filesystem::path self =
      std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) {
    return Error{ErrorCode::kIo, "/proc/self/exe: " + error.message()};
  }
  return (self.parent_path() / "claviger-hsm").string();
}

// Only the worker loads PKCS#11 modules: this becomes the worker.
base::Result<int> RunTokenProbe(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::string worker, WorkerPath());
  std::vector<std::string> words = {worker, "probe"};
  for (const char* option : {kModule, kToken, kPinFile}) {
    words.insert(words.end(), {option, *arguments.Text(option)});
  }
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) {
    pointers.push_back(word.data());
  }
  pointers.push_back(nullptr);
  execv(worker.c_str(), pointers.data());
  return SystemError(worker);
}

}  // namespace

Verb TokenProbeVerb() {
  return {"token probe",
          "Tries out what a token can do and what it would give away", kOptions,
          RunTokenProbe};
}

}  // namespace tools::claviger
