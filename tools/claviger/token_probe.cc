// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "tools/claviger/files.h"
#include "tools/claviger/token_options.h"
#include "tools/claviger/verb.h"
#include "tools/setup/setup.h"

namespace tools::claviger {
namespace {

using base::Error;
using base::ErrorCode;

constexpr const char* kLockFolder = "--lock-dir";

constexpr auto kOptions = std::to_array<Option>({
    {kModuleOption, "The token's PKCS#11 module", OptionKind::kText, true},
    {kTokenOption, "URI of the token, such as pkcs11:token=claviger",
     OptionKind::kText, true},
    {kPinFileOption, "File that holds the PIN", OptionKind::kText, true},
    {kQuirksOption, "Name of the token's profile (default: recognised)"},
    {kModuleParametersOption, "What the module's C_Initialize wants (NSS)"},
    {kAcceptRiskOption, "A theft that the token may allow, by its name",
     OptionKind::kList},
    {kLockFolder,
     "Lock folder of tokens without a directory (default: "
     "/run/claviger-hsm)"},
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
  config::KeyStore store = TokenOf(arguments);
  store.pin_file = *arguments.Text(kPinFileOption);
  store.lock_dir = arguments.Text(kLockFolder).value_or("/run/claviger-hsm");
  const std::vector<std::string> token = setup::TokenOptions(store);
  words.insert(words.end(), token.begin(), token.end());
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
