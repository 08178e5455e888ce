// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <array>
#include <utility>

#include "base/pem.h"
#include "kms/client/key_uri.h"
#include "tools/claviger/verb.h"

namespace tools::claviger {
namespace {

using kms::client::KeyUri;

constexpr const char* kKey = "KEY";
constexpr const char* kProfile = "--profile";
constexpr const char* kToken = "--token";
constexpr const char* kType = "--type";

constexpr auto kOptions = std::to_array<Option>({
    {kKey, "alias/NAME, a key id, an ARN, or claviger:... with options",
     OptionKind::kText, true},
    {kProfile, "The profile of AWS's shared files that has the access key"},
    {kToken, "The label of a [[token]] in the program's pkcs11.toml"},
    {kType, "RSA-PSS: show an RSA key as one for PSS only"},
});

void Override(std::string& member, const Arguments& arguments,
              const char* option) {
  member = arguments.Text(option).value_or(std::move(member));
}

// What is not named here is what the program that reads the file is told by its
// own configuration and environment.
base::Result<KeyUri> UriOf(const Arguments& arguments) {
  const std::string key = *arguments.Text(kKey);
  KeyUri uri = {key, {}, {}, {}, {}, {}};
  if (key.starts_with(std::string(kms::client::kKeyUriScheme) + ":")) {
    ASSIGN_OR_RETURN(uri, kms::client::ParseKeyUri(key));
  }
  Override(uri.endpoint, arguments, kEndpointOption);
  Override(uri.region, arguments, kRegionOption);
  Override(uri.profile, arguments, kProfile);
  Override(uri.token, arguments, kToken);
  Override(uri.type, arguments, kType);
  // Nobody shall find out later that it cannot be read.
  return kms::client::ParseKeyUri(kms::client::FormatKeyUri(uri));
}

// The provider does not follow a reference everywhere, for anybody may have
// written it. Whether the endpoint is its own anyhow, only the program knows
// that reads the file.
void WarnOf(const KeyUri& uri) {
  if (!uri.endpoint.empty()) {
    fmt::print(stderr,
               "claviger: programs whose endpoint is another one refuse this "
               "reference, unless their openssl.cnf says `reference_options = "
               "allow`\n");
  }
  if (!uri.profile.empty() || !uri.token.empty()) {
    fmt::print(stderr,
               "claviger: programs refuse a reference with a profile or a "
               "token, unless their openssl.cnf says `reference_options = "
               "allow`\n");
  }
}

base::Result<int> RunPemReference(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const KeyUri uri, UriOf(arguments));
  fmt::print("{}", base::PemBlock(kms::client::kReferenceLabel,
                                  kms::client::EncodeReference(uri)));
  WarnOf(uri);
  return kExitSuccess;
}

}  // namespace

Verb PemReferenceVerb() {
  return {"pem-reference",
          "Prints a file that stands for a key where programs want a private "
          "key in PEM; it holds no secret",
          kOptions, RunPemReference};
}

}  // namespace tools::claviger
