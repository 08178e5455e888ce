// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_CONDITION_H_
#define POLICY_CONDITION_H_

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "policy/context.h"
#include "policy/pattern.h"
#include "policy/request.h"
#include "policy/values.h"

// IAM User Guide, "IAM JSON policy elements: Condition operators" and
// "Multivalued context keys".
namespace policy {

// What a value is compared as.
enum class ValueType : std::uint8_t {
  kString,
  kNumeric,
  kDate,
  kBool,
  kBinary,
  kIpAddress,
  kArn,
  kNull
};

// Which orders of a number or a date satisfy an operator.
enum class Order : std::uint8_t { kEqual, kLess, kAtMost, kGreater, kAtLeast };

// How strings and ARNs are compared.
enum class Comparison : std::uint8_t { kExact, kIgnoreCase, kLike };

// One operator without its ForAllValues:, ForAnyValue: and IfExists.
struct ConditionOperator {
  std::string_view name;  // "StringNotLike"
  ValueType type;
  bool negated = false;
  Comparison comparison = Comparison::kExact;
  Order order = Order::kEqual;
};

enum class SetOperator : std::uint8_t { kNone, kForAllValues, kForAnyValue };

// An operator as it stands in a policy.
struct OperatorUse {
  const ConditionOperator* base = nullptr;
  SetOperator set = SetOperator::kNone;
  bool if_exists = false;
};

// Reads "ForAnyValue:StringLikeIfExists", in any case; nullopt if it is none.
std::optional<OperatorUse> ParseOperator(std::string_view name);

// A Condition is one operator, one key and its values, compiled. It views the
// policy's text. Immutable; safe to use from any thread.
class Condition {
 public:
  // `spelling` is how the policy writes the operator. `variables` tells whether
  // the policy's version has them.
  Condition(OperatorUse use, std::string_view spelling, std::string_view key,
            std::span<const std::string_view> values, bool variables);

  std::string_view operator_name() const { return spelling_; }
  std::string_view key() const { return spelled_key_; }
  const ContextKey& context_key() const { return key_; }
  const OperatorUse& use() const { return use_; }
  // As the policy spells them.
  std::span<const std::string_view> values() const { return texts_; }

  // Whether it holds. kError if a value of the policy is not of the operator's
  // type, and none of the others settles it.
  Match Holds(std::span<const ContextEntry> context) const;

  // Whether `is` holds for the key, or for that of a variable in its values.
  template <typename Predicate>
  bool AnyKey(Predicate is) const {
    const auto any_variable = [&is](const auto& value) {
      if constexpr (requires { value.AnyVariable(is); }) {
        return value.AnyVariable(is);
      }
      return false;
    };
    return is(key_) || std::ranges::any_of(values_, [&](const Value& value) {
             return std::visit(any_variable, value);
           });
  }

 private:
  // std::monostate: not a value of the operator's type.
  using Value = std::variant<std::monostate, Pattern, ArnPattern, Decimal,
                             Instant, IpRange, bool>;

  Value Compile(std::string_view text, bool variables) const;
  Match HoldsIfMissing() const;
  Match HoldsFor(std::string_view actual,
                 std::span<const ContextEntry> context) const;
  Match HoldsForSet(const ContextValues& found,
                    std::span<const ContextEntry> context) const;
  Match HoldsNull(bool missing) const;
  template <typename Compare>
  Match AnyValue(Compare compare) const;

  OperatorUse use_;
  std::string_view spelling_;
  std::string_view spelled_key_;
  ContextKey key_;
  std::vector<Value> values_;
  std::vector<std::string_view> texts_;
};

}  // namespace policy

#endif  // POLICY_CONDITION_H_
