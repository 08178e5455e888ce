// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_RISKS_H_
#define HSM_TOKEN_RISKS_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

// The table of the thefts that every worker tries (thefts.h), and of the names
// under which an operator can accept that one succeeds. docs/hsm.md prints it.
namespace hsm::token {

enum class Theft : std::uint8_t { kRead, kChange, kCopy, kWrap, kGainUsage };

struct TheftRow {
  Theft theft;
  std::string_view tried;
  // Of [[key_store]] accept_risks. Empty: it bends a key, but does not take it,
  // and is only reported.
  std::string_view risk;
  std::string_view meaning;  // Of a success: what it breaks.
};

inline constexpr std::array kThefts = {
    TheftRow{Theft::kRead, "read a sensitive key", "keys-can-be-read",
             "a key made sensitive and non-extractable can be read"},
    TheftRow{
        Theft::kChange, "change a key to be readable",
        "keys-can-be-made-readable",
        "CKA_SENSITIVE or CKA_EXTRACTABLE of a finished key can be changed"},
    TheftRow{Theft::kCopy, "copy a key to be readable",
             "copies-can-be-extractable",
             "a copy of a key can be less sensitive than the key"},
    TheftRow{Theft::kWrap, "wrap a non-extractable key",
             "keys-can-be-wrapped-out",
             "a non-extractable key can be wrapped by any other key"},
    TheftRow{Theft::kGainUsage, "copy a key to gain usages", "",
             "a copy of a key can have usages that the key does not have: "
             "whoever has the PIN can use keys for more than they are made "
             "for"},
};

// Null if no risk is called that.
constexpr const TheftRow* FindRisk(std::string_view risk) {
  const auto* const it = std::ranges::find(kThefts, risk, &TheftRow::risk);
  return risk.empty() || it == kThefts.end() ? nullptr : it;
}

// For messages: "a, b, c".
inline std::string KnownRisks() {
  std::string known;
  for (const TheftRow& row : kThefts) {
    if (!row.risk.empty()) {
      known.append(known.empty() ? "" : ", ").append(row.risk);
    }
  }
  return known;
}

}  // namespace hsm::token

#endif  // HSM_TOKEN_RISKS_H_
