// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_TESTLIB_STATUS_H_
#define TESTS_TESTLIB_STATUS_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace testlib {

// The enumerator's name: "kNotFound".
std::string_view CodeName(base::ErrorCode code);

// "kNotFound: no such key (kms/store/keys.cc:17)".
std::string Describe(const base::Error& error);

// Matches a base::Result or base::Status that succeeded.
//   EXPECT_THAT(store.Open(), IsOk());
MATCHER(IsOk, negation ? "is an error" : "is ok") { return arg.has_value(); }

// Matches a Result that succeeded with a value that `matcher` matches.
MATCHER_P(
    IsOkAndHolds, matcher,
    "is ok and " +
        testing::DescribeMatcher<typename std::decay_t<arg_type>::value_type>(
            matcher, negation)) {
  return arg.has_value() &&
         testing::ExplainMatchResult(matcher, *arg, result_listener);
}

// Matches a Result that failed with `code`, and a message that `message`
// matches: a text or a matcher of one.
//   EXPECT_THAT(Find(id), StatusIs(ErrorCode::kNotFound, HasSubstr(id)));
MATCHER_P2(StatusIs, code, message,
           std::string(negation ? "isn't " : "is ") +
               std::string(CodeName(code)) + " with a message that " +
               testing::DescribeMatcher<std::string>(message)) {
  return !arg.has_value() && arg.error().code == code &&
         testing::ExplainMatchResult(message, arg.error().message,
                                     result_listener);
}
inline auto StatusIs(base::ErrorCode code) {
  return StatusIs(code, testing::_);
}

// The value of a Result that cannot fail unless the test itself is wrong; ends
// the program if it does. For set-up code, where ASSERT_* cannot return.
template <typename T>
T Take(base::Result<T> result) {
  if (!result.has_value()) {
    std::cerr << "Take(): " << Describe(result.error()) << std::endl;
    std::abort();
  }
  return *std::move(result);
}
inline void Take(const base::Status& status) {
  if (!status.has_value()) {
    std::cerr << "Take(): " << Describe(status.error()) << std::endl;
    std::abort();
  }
}

}  // namespace testlib

#define ASSERT_OK(expr) ASSERT_THAT((expr), ::testlib::IsOk())
#define EXPECT_OK(expr) EXPECT_THAT((expr), ::testlib::IsOk())

// Declares or assigns `lhs` from the Result `expr`; an error fails the test and
// leaves the function. It expands to several statements.
#define ASSERT_OK_AND_ASSIGN(lhs, expr) \
  ASSERT_OK_AND_ASSIGN_INNER(BASE_CONCAT(result_, __LINE__), lhs, expr)
#define ASSERT_OK_AND_ASSIGN_INNER(tmp, lhs, expr) \
  auto tmp = (expr);                               \
  ASSERT_THAT(tmp, ::testlib::IsOk());             \
  lhs = *std::move(tmp)

namespace base {

// How GoogleTest prints them; a value is not shown, for it may be a secret.
template <typename T>
void PrintTo(const Result<T>& result, std::ostream* out) {
  *out << (result.has_value() ? "ok" : testlib::Describe(result.error()));
}
inline void PrintTo(ErrorCode code, std::ostream* out) {
  *out << testlib::CodeName(code);
}

}  // namespace base

#endif  // TESTS_TESTLIB_STATUS_H_
