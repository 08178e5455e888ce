// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_SETTINGS_H_
#define PKCS11_MODULE_SETTINGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pkcs11/module/log.h"
#include "pkcs11/module/token_options.h"

// What pkcs11.toml says.
namespace pkcs11::module {

// Where the access key of a token comes from.
enum class CredentialSource : std::uint8_t {
  kUsual,        // The environment, else the usual profile.
  kEnvironment,  // The environment alone.
  kProfile,      // AWS's shared files.
  kFile,         // A credentials file of its own.
  kPin,          // Who logs in.
};

// One [[token]]. Empty texts: as the environment says.
struct TokenSettings {
  std::string where;  // "file:line", for messages.
  std::string label = "claviger";
  std::string endpoint;
  std::string region;
  std::string ca_file;
  std::string profile;
  CredentialSource credentials = CredentialSource::kUsual;
  std::string credentials_file;    // Of kFile.
  std::optional<Backend> backend;  // Nothing: by the endpoint's host.
  TokenOptions options;            // Its `backend` is not yet decided.
};

// Whether a child may go on with what it has inherited, or must initialise.
enum class ForkMode : std::uint8_t { kContinue, kStrict };

struct Settings {
  LogSettings log;
  ForkMode fork = ForkMode::kContinue;
  std::vector<TokenSettings> tokens;
};

// Reads the file. Fails with kInvalidArgument and "file:line: reason" for
// anything that is not understood: an unknown key, a value of another kind or
// out of range, two that contradict each other.
base::Result<Settings> ReadConfigurationFile(const std::string& path);

// A row of the reference: what may stand in the file.
struct MemberDescription {
  std::string_view key;       // "filter.tag" for what is in a table.
  std::string_view values;    // What it must be: "true or false".
  std::string_view fallback;  // What counts where it is missing, as one writes
                              // it; empty: nothing that could be written.
};
std::vector<MemberDescription> DescribeTopMembers();
std::vector<MemberDescription> DescribeTokenMembers();

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_SETTINGS_H_
