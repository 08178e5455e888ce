// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "tools/claviger/become_worker.h"
#include "tools/claviger/verb.h"

namespace tools::claviger {
namespace {

constexpr const char* kConfig = "--config";
constexpr const char* kKeyStore = "--key-store";
constexpr const char* kSoPinFile = "--so-pin-file";
constexpr const char* kFingerprint = "--fingerprint";
constexpr const char* kPublicKey = "PUBLIC_KEY";

constexpr auto kOptions = std::to_array<Option>({
    {kConfig, "The server's configuration, which names the token",
     OptionKind::kText, true},
    {kKeyStore, "Name of the key store (default: the only one)"},
    {kSoPinFile, "File that holds the security officer's PIN",
     OptionKind::kText, true},
    {kFingerprint,
     "What the other token's transport-key printed, \"ab:cd:...\"",
     OptionKind::kText, true},
    {kPublicKey,
     "PEM file of the public key of the other token's transport key",
     OptionKind::kText, true},
});

base::Result<int> RunTokenTrust(const Arguments& arguments) {
  std::vector<std::string> words = {"trust"};
  for (const char* option : {kConfig, kKeyStore, kSoPinFile, kFingerprint}) {
    if (const auto value = arguments.Text(option)) {
      words.insert(words.end(), {option, *value});
    }
  }
  words.insert(words.end(), {"--", *arguments.Text(kPublicKey)});
  return BecomeWorker(std::move(words));
}

}  // namespace

Verb TokenTrustVerb() {
  return {"token trust",
          "As security officer: lets shareable wrapping keys leave this token "
          "under another token's public key",
          kOptions, RunTokenTrust};
}

}  // namespace tools::claviger
