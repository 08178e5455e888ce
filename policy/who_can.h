// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_WHO_CAN_H_
#define POLICY_WHO_CAN_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/assumption.h"
#include "policy/decide.h"
#include "policy/request.h"

namespace policy {

// Somebody who might do something. Everything is borrowed.
struct Candidate {
  // Action, resource and principal are complete; the context holds what is
  // known. aws:username and other keys that variables stand for are worth
  // giving: a policy with a variable of unknown value answers nothing.
  Request request;
  Authority authority;
};

enum class Can : std::uint8_t { kNo, kMaybe, kYes };
std::string_view CanName(Can can);  // "no", "maybe", "yes"

// What decides: of kYes what allows in any case, of kMaybe what allows at best,
// of kNo what stands in the way even then.
struct Possibility {
  Can can = Can::kNo;
  Decision decision;
  // Of kMaybe: condition keys that it depends on, of each statement the first,
  // and "constraint of grant ID". Of a variable in a Resource, "Resource".
  std::vector<std::string> depends_on = {};
};

// Whether each candidate can do what its request says. kYes and kNo hold
// whatever the keys would be that are neither in the context nor among
// `known`; kMaybe says that it depends on them, or that telling would take more
// than a look at each condition by itself: of two statements that allow if a
// key is X and if it is not, neither does in any case. Pure; safe to call from
// any thread.
std::vector<Possibility> WhoCan(std::span<const Candidate> candidates,
                                const KnownKeys& known);

}  // namespace policy

#endif  // POLICY_WHO_CAN_H_
