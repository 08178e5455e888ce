// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGER_VERB_H_
#define TOOLS_CLAVIGER_VERB_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tools::claviger {

enum class OptionKind : std::uint8_t { kText, kList, kFlag };

// An Option is one row of what a verb takes.
struct Option {
  // "-o,--output", "--key-id"; "FILE", without dashes, is a place.
  const char* spelling;
  const char* help;
  OptionKind kind = OptionKind::kText;
  bool required = false;
};

// Arguments are the values of a verb's options, under the spelling of their
// rows.
class Arguments {
 public:
  void Set(const std::string& spelling, std::vector<std::string> values) {
    values_[spelling] = std::move(values);
  }

  // The value, if it was given.
  std::optional<std::string> Text(const std::string& spelling) const;
  // All values, in the order they were given.
  std::vector<std::string> List(const std::string& spelling) const;
  bool Has(const std::string& spelling) const;

 private:
  std::map<std::string, std::vector<std::string>> values_;
};

// A Verb is one thing that the command line can do. `run` returns the exit
// status; an Error is printed, and its code decides the status.
struct Verb {
  const char* name;  // "audit verify" is "verify" within the group "audit".
  const char* summary;
  std::span<const Option> options;
  base::Result<int> (*run)(const Arguments& arguments);
};

// One file each; main.cc has the table.
Verb AccountAddVerb();
Verb AccountListVerb();
Verb AuditVerifyVerb();
Verb CallVerb();
Verb CertificateDeleteVerb();
Verb CertificateGetVerb();
Verb CertificatePutVerb();
Verb ConfigCheckVerb();
Verb DecryptVerb();
Verb DoctorVerb();
Verb EncryptVerb();
Verb ExplainVerb();
Verb InitVerb();
Verb KeyMoveVerb();
Verb PemReferenceVerb();
Verb PolicyEvaluateVerb();
Verb PolicyReplayVerb();
Verb PolicyResetVerb();
Verb PolicySimulateVerb();
Verb PolicyWhoCanVerb();
Verb StatusVerb();
Verb TokenProbeVerb();
Verb TokenShareVerb();
Verb TokenTransportKeyVerb();
Verb TokenTrustVerb();
std::array<Verb, 7> XksVerbs();

// What every verb takes that talks to the server; written before or after it.
inline constexpr const char* kEndpointOption = "--endpoint";
inline constexpr const char* kRegionOption = "--region";
inline constexpr const char* kCaFileOption = "--ca-file";

// Exit statuses, which scripts rely on (docs/cli.md).
inline constexpr int kExitSuccess = 0;
inline constexpr int kExitRefused = 1;      // The server said no.
inline constexpr int kExitUsage = 2;        // Command line or configuration.
inline constexpr int kExitUnreachable = 3;  // Network, disk or time failed.
inline constexpr int kExitNotGenuine = 4;   // Damaged or tampered with.

// `text` with '?' for control characters: servers and files do not get to move
// a terminal's cursor.
std::string Printable(std::string_view text);

// The exit status for an error.
int ExitStatusOf(base::ErrorCode code);

}  // namespace tools::claviger

#endif  // TOOLS_CLAVIGER_VERB_H_
