// SPDX-License-Identifier: Apache-2.0
#include "kms/entity.h"

#include <algorithm>

#include "base/random.h"

namespace kms {
namespace {

// IAM User Guide, "Unique identifiers".
constexpr std::array<std::string_view, 4> kIdPrefixes = {"AIDA", "AGPA", "AROA",
                                                         "ANPA"};
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

}  // namespace

std::string_view EntityKindName(EntityKind kind) {
  return kEntityKindNames[static_cast<std::size_t>(kind)];
}

std::optional<EntityKind> ParseEntityKind(std::string_view name) {
  const auto* const found = std::ranges::find(kEntityKindNames, name);
  if (found == kEntityKindNames.end()) {
    return std::nullopt;
  }
  return static_cast<EntityKind>(found - kEntityKindNames.begin());
}

std::string Entity::Arn() const {
  std::string arn = "arn:aws:iam::";
  arn.append(account).append(":").append(EntityKindName(kind));
  return arn.append(path).append(name);
}

std::string NewEntityId(EntityKind kind) {
  constexpr std::size_t kDigits = 17;
  std::array<std::uint8_t, kDigits> random{};
  base::RandomBytes(random);
  std::string id(kIdPrefixes[static_cast<std::size_t>(kind)]);
  for (const std::uint8_t byte : random) {
    id += kAlphabet[byte % kAlphabet.size()];
  }
  return id;
}

std::string FoldedName(std::string_view name) {
  std::string folded(name);
  for (char& c : folded) {
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    }
  }
  return folded;
}

}  // namespace kms
