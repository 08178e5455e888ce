// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "tools/claviger/become_worker.h"
#include "tools/claviger/token_options.h"
#include "tools/claviger/verb.h"
#include "tools/setup/setup.h"

namespace tools::claviger {
namespace {

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

base::Result<int> RunTokenProbe(const Arguments& arguments) {
  config::KeyStore store = TokenOf(arguments);
  store.pin_file = *arguments.Text(kPinFileOption);
  store.lock_dir = arguments.Text(kLockFolder).value_or("/run/claviger-hsm");
  std::vector<std::string> words = {"probe"};
  const std::vector<std::string> token = setup::TokenOptions(store);
  words.insert(words.end(), token.begin(), token.end());
  return BecomeWorker(std::move(words));
}

}  // namespace

Verb TokenProbeVerb() {
  return {"token probe",
          "Tries out what a token can do and what it would give away", kOptions,
          RunTokenProbe};
}

}  // namespace tools::claviger
