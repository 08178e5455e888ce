// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_CONTEXT_H_
#define POLICY_CONTEXT_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "policy/request.h"

namespace policy {

// A ContextKey is the name of a condition key, made ready to be looked up.
// Names do not depend on case, not even in the part that callers choose. It
// views the name.
struct ContextKey {
  explicit ContextKey(std::string_view name);

  bool Names(const ContextEntry& entry) const {
    // Most entries have another length.
    return entry.key.size() + entry.suffix.size() == folded.size() &&
           HasLetters(entry);
  }

  std::string_view spelling;
  std::string folded;
  bool multivalued;  // AWS says that it may have several values.

 private:
  bool HasLetters(const ContextEntry& entry) const;
};

// The values that a request has for a key.
struct ContextValues {
  std::size_t first = 0;  // Index of the first.
  std::size_t count = 0;
  bool multivalued = false;

  // Several for a key that has one. Names differ in their case perhaps, which
  // only the caller's own part of them can: who does that wants to confuse.
  bool ambiguous() const { return count > 1 && !multivalued; }
};
ContextValues FindValues(std::span<const ContextEntry> context,
                         const ContextKey& key);

}  // namespace policy

#endif  // POLICY_CONTEXT_H_
