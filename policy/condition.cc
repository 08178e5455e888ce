// SPDX-License-Identifier: Apache-2.0
#include "policy/condition.h"

#include <algorithm>
#include <array>

#include "policy/text.h"

namespace policy {
namespace {

using Type = ValueType;

constexpr bool kIs = false;  // As against:
constexpr bool kNot = true;

constexpr std::array kOperators = {
    ConditionOperator{"StringEquals", Type::kString},
    ConditionOperator{"StringNotEquals", Type::kString, kNot},
    ConditionOperator{"StringEqualsIgnoreCase", Type::kString, kIs,
                      Comparison::kIgnoreCase},
    ConditionOperator{"StringNotEqualsIgnoreCase", Type::kString, kNot,
                      Comparison::kIgnoreCase},
    ConditionOperator{"StringLike", Type::kString, kIs, Comparison::kLike},
    ConditionOperator{"StringNotLike", Type::kString, kNot, Comparison::kLike},
    ConditionOperator{"NumericEquals", Type::kNumeric},
    ConditionOperator{"NumericNotEquals", Type::kNumeric, kNot},
    ConditionOperator{"NumericLessThan", Type::kNumeric, kIs,
                      Comparison::kExact, Order::kLess},
    ConditionOperator{"NumericLessThanEquals", Type::kNumeric, kIs,
                      Comparison::kExact, Order::kAtMost},
    ConditionOperator{"NumericGreaterThan", Type::kNumeric, kIs,
                      Comparison::kExact, Order::kGreater},
    ConditionOperator{"NumericGreaterThanEquals", Type::kNumeric, kIs,
                      Comparison::kExact, Order::kAtLeast},
    ConditionOperator{"DateEquals", Type::kDate},
    ConditionOperator{"DateNotEquals", Type::kDate, kNot},
    ConditionOperator{"DateLessThan", Type::kDate, kIs, Comparison::kExact,
                      Order::kLess},
    ConditionOperator{"DateLessThanEquals", Type::kDate, kIs,
                      Comparison::kExact, Order::kAtMost},
    ConditionOperator{"DateGreaterThan", Type::kDate, kIs, Comparison::kExact,
                      Order::kGreater},
    ConditionOperator{"DateGreaterThanEquals", Type::kDate, kIs,
                      Comparison::kExact, Order::kAtLeast},
    ConditionOperator{"Bool", Type::kBool},
    ConditionOperator{"BinaryEquals", Type::kBinary},
    ConditionOperator{"IpAddress", Type::kIpAddress},
    ConditionOperator{"NotIpAddress", Type::kIpAddress, kNot},
    ConditionOperator{"ArnEquals", Type::kArn, kIs, Comparison::kLike},
    ConditionOperator{"ArnNotEquals", Type::kArn, kNot, Comparison::kLike},
    ConditionOperator{"ArnLike", Type::kArn, kIs, Comparison::kLike},
    ConditionOperator{"ArnNotLike", Type::kArn, kNot, Comparison::kLike},
    ConditionOperator{"Null", Type::kNull},
};

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](char x, char y) { return Folded(0, x) == Folded(0, y); });
}

bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (!EqualsIgnoringCase(text.substr(0, prefix.size()), prefix)) {
    return false;
  }
  text.remove_prefix(prefix.size());
  return true;
}

bool TakeSuffix(std::string_view& text, std::string_view suffix) {
  if (text.size() < suffix.size() ||
      !EqualsIgnoringCase(text.substr(text.size() - suffix.size()), suffix)) {
    return false;
  }
  text.remove_suffix(suffix.size());
  return true;
}

Match FromBool(bool yes) { return yes ? Match::kYes : Match::kNo; }

bool Satisfies(std::strong_ordering actual, Order wanted) {
  switch (wanted) {
    case Order::kEqual:
      return actual == 0;
    case Order::kLess:
      return actual < 0;
    case Order::kAtMost:
      return actual <= 0;
    case Order::kGreater:
      return actual > 0;
    case Order::kAtLeast:
      return actual >= 0;
  }
  return false;
}

}  // namespace

std::optional<OperatorUse> ParseOperator(std::string_view name) {
  OperatorUse use;
  if (TakePrefix(name, "ForAllValues:")) {
    use.set = SetOperator::kForAllValues;
  } else if (TakePrefix(name, "ForAnyValue:")) {
    use.set = SetOperator::kForAnyValue;
  }
  use.if_exists = TakeSuffix(name, "IfExists");
  const auto* const row =
      std::ranges::find_if(kOperators, [&](const ConditionOperator& known) {
        return EqualsIgnoringCase(known.name, name);
      });
  // Null asks whether the key exists: IfExists would make it void.
  if (row == kOperators.end() || (row->type == Type::kNull && use.if_exists)) {
    return std::nullopt;
  }
  use.base = row;
  return use;
}

Condition::Condition(OperatorUse use, std::string_view spelling,
                     std::string_view key,
                     std::span<const std::string_view> values, bool variables)
    : use_(use),
      spelling_(spelling),
      spelled_key_(key),
      key_(key),
      texts_(values.begin(), values.end()) {
  values_.reserve(values.size());
  for (const std::string_view text : values) {
    values_.push_back(Compile(text, variables));
  }
}

Condition::Value Condition::Compile(std::string_view text,
                                    bool variables) const {
  const ConditionOperator& base = *use_.base;
  const PatternSyntax syntax = {
      .wildcards = base.comparison == Comparison::kLike,
      .variables = variables,
      .ignore_case = base.comparison == Comparison::kIgnoreCase};
  const auto optional = [](auto parsed) {
    return parsed ? Value(*parsed) : Value();
  };
  switch (base.type) {
    case Type::kString:
      return Pattern(text, syntax);
    case Type::kArn:
      return ArnPattern(text, syntax);
    case Type::kNumeric:
      return optional(Decimal::Parse(text));
    case Type::kDate:
      return optional(Instant::Parse(text));
    case Type::kBool:
    case Type::kNull:
      return optional(ParseBool(text));
    case Type::kIpAddress:
      return optional(IpRange::Parse(text));
    case Type::kBinary:
      return IsBase64(text) ? Value(Pattern(text, {})) : Value();
  }
  return {};
}

// Whether one of the policy's values satisfies `compare`, which tells for a
// Value that is not std::monostate.
template <typename Compare>
Match Condition::AnyValue(Compare compare) const {
  Match any = Match::kNo;
  for (const Value& value : values_) {
    any =
        Or(any, std::holds_alternative<std::monostate>(value) ? Match::kError
                                                              : compare(value));
    if (any == Match::kYes) {
      break;
    }
  }
  return use_.base->negated ? Not(any) : any;
}

// Whether one value of the request satisfies the operator. One that is not of
// the operator's type satisfies neither the operator nor its negation.
Match Condition::HoldsFor(std::string_view actual,
                          std::span<const ContextEntry> context) const {
  const Order order = use_.base->order;
  switch (use_.base->type) {
    case Type::kBinary:
      if (!IsBase64(actual)) {
        return Match::kNo;
      }
      [[fallthrough]];
    case Type::kString:
      return AnyValue([&](const Value& value) {
        return std::get<Pattern>(value).Matches(actual, context);
      });
    case Type::kArn: {
      const auto parts = SplitArn(actual);
      return !parts ? Match::kNo : AnyValue([&](const Value& value) {
        return std::get<ArnPattern>(value).Matches(*parts, context);
      });
    }
    case Type::kNumeric: {
      const auto number = Decimal::Parse(actual);
      return !number ? Match::kNo : AnyValue([&](const Value& value) {
        return FromBool(
            Satisfies(Compare(*number, std::get<Decimal>(value)), order));
      });
    }
    case Type::kDate: {
      const auto date = Instant::Parse(actual);
      return !date ? Match::kNo : AnyValue([&](const Value& value) {
        return FromBool(Satisfies(*date <=> std::get<Instant>(value), order));
      });
    }
    case Type::kBool: {
      const auto flag = ParseBool(actual);
      return !flag ? Match::kNo : AnyValue([&](const Value& value) {
        return FromBool(*flag == std::get<bool>(value));
      });
    }
    case Type::kIpAddress: {
      const auto address = IpRange::Parse(actual);
      return !address ? Match::kNo : AnyValue([&](const Value& value) {
        return FromBool(std::get<IpRange>(value).Contains(*address));
      });
    }
    case Type::kNull:
      break;  // HoldsNull().
  }
  return Match::kError;
}

Match Condition::HoldsNull(bool missing) const {
  return AnyValue([&](const Value& value) {
    return FromBool(std::get<bool>(value) == missing);
  });
}

Match Condition::HoldsIfMissing() const {
  if (use_.set != SetOperator::kNone) {
    return FromBool(use_.set == SetOperator::kForAllValues);
  }
  return FromBool(use_.if_exists || use_.base->negated);
}

Match Condition::HoldsForSet(const ContextValues& found,
                             std::span<const ContextEntry> context) const {
  const bool all = use_.set == SetOperator::kForAllValues;
  Match result = FromBool(all);
  std::size_t left = found.count;
  for (std::size_t i = found.first; left > 0; ++i) {
    if (!key_.Names(context[i])) {
      continue;
    }
    --left;
    const Match one = HoldsFor(context[i].value, context);
    result = all ? And(result, one) : Or(result, one);
  }
  return result;
}

Match Condition::Holds(std::span<const ContextEntry> context) const {
  const ContextValues found = FindValues(context, key_);
  if (use_.base->type == Type::kNull) {
    return HoldsNull(found.count == 0);
  }
  if (found.count == 0) {
    return HoldsIfMissing();
  }
  if (use_.set != SetOperator::kNone) {
    return HoldsForSet(found, context);
  }
  if (found.ambiguous()) {
    return Match::kError;
  }
  // An operator for one value says nothing about several, nor does its
  // negation.
  return found.multivalued ? Match::kNo
                           : HoldsFor(context[found.first].value, context);
}

}  // namespace policy
