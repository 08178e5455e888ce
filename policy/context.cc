// SPDX-License-Identifier: Apache-2.0
#include "policy/context.h"

#include <algorithm>
#include <array>

#include "policy/text.h"

namespace policy {
namespace {

// IAM User Guide, "AWS global condition context keys"; AWS KMS Developer Guide,
// "Condition keys for AWS KMS": value type "String (list)".
constexpr std::array<std::string_view, 8> kMultivalued = {
    "aws:calledvia",
    "aws:principalorgpaths",
    "aws:principalservicenameslist",
    "aws:resourceorgpaths",
    "aws:tagkeys",
    "kms:encryptioncontextkeys",
    "kms:grantoperations",
    "kms:resourcealiases",
};
static_assert(std::ranges::is_sorted(kMultivalued));

}  // namespace

ContextKey::ContextKey(std::string_view name)
    : spelling(name),
      folded(Fold(name)),
      multivalued(
          std::ranges::binary_search(kMultivalued, std::string_view(folded))) {}

bool ContextKey::HasLetters(const ContextEntry& entry) const {
  const std::size_t length = entry.key.size();
  const std::string_view all = folded;
  if (length > 0) {
    // The ends of keys differ where their starts ("aws:Principal") do not.
    const char last = entry.key.back();
    const bool ascii = static_cast<unsigned char>(last) < 0x80;
    if (ascii && Folded(0, last) != all[length - 1]) {
      return false;
    }
  }
  if (spelling.starts_with(entry.key) && spelling.ends_with(entry.suffix)) {
    return true;  // As it mostly is, and quicker to tell.
  }
  return FoldsTo(entry.suffix, all.substr(length)) &&
         FoldsTo(entry.key, all.substr(0, length));
}

ContextValues FindValues(std::span<const ContextEntry> context,
                         const ContextKey& key) {
  ContextValues found{.multivalued = key.multivalued};
  for (std::size_t i = 0; i < context.size(); ++i) {
    if (!key.Names(context[i])) {
      continue;
    }
    if (found.count++ == 0) {
      found.first = i;
    }
    found.multivalued |= context[i].multivalued;
  }
  return found;
}

}  // namespace policy
