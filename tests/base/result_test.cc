// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <coroutine>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>

#include "tests/testlib/status.h"

namespace base {
namespace {

using testlib::IsOk;
using testlib::IsOkAndHolds;
using testlib::StatusIs;

Result<int> Positive(int value) {
  if (value <= 0) {
    return Error{ErrorCode::kValidation, "not positive"};
  }
  return value;
}

Result<int> SumOfPositives(int a, int b) {
  ASSIGN_OR_RETURN(const int first, Positive(a));
  int second = 0;
  ASSIGN_OR_RETURN(second, Positive(b));
  return first + second;
}

Status BothPositive(int a, int b, int* reached) {
  RETURN_IF_ERROR(Positive(a));
  *reached = 1;
  RETURN_IF_ERROR(Positive(b));
  *reached = 2;
  return {};
}

Result<std::unique_ptr<int>> Box(int value) {
  RETURN_IF_ERROR(Positive(value));
  return std::make_unique<int>(value);
}

Result<std::unique_ptr<int>> Doubled(int value) {
  ASSIGN_OR_RETURN(std::unique_ptr<int> box, Box(value));
  *box *= 2;
  return box;
}

TEST(ResultTest, ValuesPassThroughAssignOrReturn) {
  EXPECT_THAT(SumOfPositives(2, 3), IsOkAndHolds(5));
}

TEST(ResultTest, TheFirstErrorIsReturnedUnchanged) {
  EXPECT_THAT(SumOfPositives(0, 3),
              StatusIs(ErrorCode::kValidation, "not positive"));
  EXPECT_THAT(SumOfPositives(3, 0), StatusIs(ErrorCode::kValidation));
}

TEST(ResultTest, ReturnIfErrorStopsAtTheError) {
  int reached = 0;
  EXPECT_THAT(BothPositive(1, 2, &reached), IsOk());
  EXPECT_EQ(reached, 2);
  reached = 0;
  EXPECT_THAT(BothPositive(0, 2, &reached), StatusIs(ErrorCode::kValidation));
  EXPECT_EQ(reached, 0);
  EXPECT_THAT(BothPositive(1, 0, &reached), StatusIs(ErrorCode::kValidation));
  EXPECT_EQ(reached, 1);
}

TEST(ResultTest, MoveOnlyValuesAreMovedOut) {
  Result<std::unique_ptr<int>> box = Doubled(7);
  ASSERT_THAT(box, IsOk());
  EXPECT_EQ(**box, 14);
  EXPECT_THAT(Doubled(0), StatusIs(ErrorCode::kValidation));
}

TEST(ResultTest, AnErrorKnowsWhereItWasMadeNotWhereItPassed) {
  const Result<int> made = Positive(0);
  const Result<int> passed = SumOfPositives(0, 1);
  EXPECT_TRUE(std::string_view(made.error().file).ends_with("result_test.cc"));
  EXPECT_EQ(passed.error().line, made.error().line);
}

// A coroutine that runs to its end at once and leaves its result behind.
struct Eager {
  struct promise_type {
    Status* out = nullptr;
    explicit promise_type(int, Status* result) : out(result) {}
    Eager get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_value(Status status) { *out = std::move(status); }
    void unhandled_exception() { std::terminate(); }
  };
};

Eager CheckInCoroutine(int value, Status* /*result*/) {
  CO_RETURN_IF_ERROR(Positive(value));
  CO_ASSIGN_OR_RETURN(const int less, Positive(value - 1));
  CO_RETURN_IF_ERROR(Positive(less - 1));
  co_return Status();
}

TEST(ResultTest, TheMacrosWorkInCoroutines) {
  Status result;
  CheckInCoroutine(3, &result);
  EXPECT_THAT(result, IsOk());
  for (const int value : {0, 1, 2}) {
    CheckInCoroutine(value, &result);
    EXPECT_THAT(result, StatusIs(ErrorCode::kValidation)) << value;
  }
}

}  // namespace
}  // namespace base
