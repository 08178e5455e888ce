// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_ASSUMPTION_H_
#define POLICY_ASSUMPTION_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/context.h"
#include "policy/pattern.h"
#include "policy/request.h"
#include "policy/statement.h"

// Decisions about a request of which only a part is known, because nobody has
// made it yet.
namespace policy {

// KnownKeys are the condition keys of which a request's context says all: one
// of them that the context lacks is absent. Immutable; safe to read from any
// thread.
class KnownKeys {
 public:
  // Names, in any case. One that ends with ':' or '/' stands for all that start
  // with it ("aws:PrincipalTag/"). Keeps copies.
  explicit KnownKeys(std::span<const std::string_view> names);

  bool Has(std::string_view folded) const;

 private:
  std::vector<std::string> names_;  // Folded.
};

enum class Outlook : std::uint8_t { kOptimistic, kPessimistic };

// An Assumption says what to take for the answer where a statement or a grant
// asks for what is not known. A decision is monotone: what the optimistic
// outlook denies, no values of the unknown keys allow, and what the pessimistic
// one allows, none deny.
struct Assumption {
  const KnownKeys& known;  // Borrowed.
  Outlook outlook;

  // Whether the context lacks the key, though the request may have it.
  bool IsUnknown(const ContextKey& key,
                 std::span<const ContextEntry> context) const;

  // What a question of a statement with this effect counts as.
  Match Answer(Effect effect) const;
};

}  // namespace policy

#endif  // POLICY_ASSUMPTION_H_
