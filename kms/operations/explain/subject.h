// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_EXPLAIN_SUBJECT_H_
#define KMS_OPERATIONS_EXPLAIN_SUBJECT_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "kms/operations/call.h"

namespace kms::operations {

using CallerPtr = std::shared_ptr<const Caller>;

// What there is to know of a request that is looked at, and not made.
struct Supposed {
  CallerPtr caller;                      // Not null.
  const Operation* operation = nullptr;  // nullptr: none of this server's.
  std::string region;
  std::string source_address = {};
  std::string user_agent = {};
  Door door = Door::kHttps;
  base::WallTime time{};
};

// A Subject is a Call that nobody makes: what decides about real ones decides
// about it. It never runs, and is not recorded. Neither copyable nor movable.
class Subject {
 public:
  Subject(Environment& environment, Supposed supposed);

  Call& call() { return call_; }

 private:
  const Supposed supposed_;
  const Request request_;
  Call call_;
};

// The resource `arn`, or "*", as a check of `action` has it: with the key or
// the trust policy behind it, if it is one that is here. The caller of `call`
// says whose "*" is. The call keeps what the check views.
base::Result<Check> CheckOf(Call& call, std::string_view action,
                            std::string_view arn);

// The operation that asks for `action`, in any case; nullptr if there is none.
const Operation* FindOperationOf(std::string_view action);

// `action` as the server writes it, if it knows it; otherwise as it is.
std::string SpelledAction(std::string_view action);

// The layer of a decision by a grant.
inline constexpr std::string_view kByGrant = "grant";

// Decides about a check and returns policy::ExplainJson of it. Leaves the
// decision in the call. Of another account's resource it can leave out what its
// policies and grants say.
enum class Shown : std::uint8_t { kAll, kNotOfResource };
base::Result<std::string> ExplanationOf(Call& call, const Check& check,
                                        Shown shown = Shown::kAll);

// A condition key with its values, as it was recorded or is supposed.
struct GivenKey {
  std::string name;
  std::vector<std::string> values;
  bool is_list = false;
};

// Reads an object of strings and lists of strings. Other values, which are none
// of ours, are passed over.
std::vector<GivenKey> ReadGivenKeys(const base::Json& object);

// Whether `name` is or begins with `prefix`, in any case.
bool HasPrefix(std::string_view name, std::string_view prefix);

// Puts `keys` into the call's context, in place of what it has for them.
void PutKeys(const std::vector<GivenKey>& keys, Call& call);

// Adds the keys that list the names of others (kms:EncryptionContextKeys,
// aws:TagKeys) and what CreateGrant's input says (kms:GrantOperations), unless
// they are there.
void AddDerivedKeys(Call& call);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_EXPLAIN_SUBJECT_H_
