// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_RESULT_H_
#define BASE_RESULT_H_

#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "base/error_code.h"

namespace base {

// An Error says what went wrong in terms a caller can act on. `message` may be
// shown to the client and written to logs: it never holds secrets. An empty
// message is meaningful where AWS KMS sends none (InvalidCiphertextException).
struct Error {
  ErrorCode code;
  std::string message;
  const char* file = __builtin_FILE();  // std::source_location needs clang 15.
  int line = __builtin_LINE();
};

// A Result is a T or the Error that prevented it. Unlike tl::expected it may
// not be discarded silently.
template <typename T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
  Result(Error error)  // NOLINT(google-explicit-constructor)
      : tl::expected<T, Error>(tl::unexpect, std::move(error)) {}
};

using Status = Result<void>;

}  // namespace base

#define BASE_CONCAT_INNER(a, b) a##b
#define BASE_CONCAT(a, b) BASE_CONCAT_INNER(a, b)

// RETURN_IF_ERROR evaluates `expr` and returns its Error, if it has one.
// CO_RETURN_IF_ERROR is the same inside a coroutine.
#define RETURN_IF_ERROR(expr) BASE_RETURN_IF_ERROR_INNER(return, expr)
#define CO_RETURN_IF_ERROR(expr) BASE_RETURN_IF_ERROR_INNER(co_return, expr)
#define BASE_RETURN_IF_ERROR_INNER(return_word, expr)        \
  do {                                                       \
    if (auto status_ = (expr); !status_.has_value()) {       \
      return_word ::base::Error(std::move(status_).error()); \
    }                                                        \
  } while (false)

// ASSIGN_OR_RETURN declares or assigns `lhs` from the Result `expr`, or returns
// its Error. It expands to several statements: never the body of a bare `if`.
// CO_ASSIGN_OR_RETURN is the same inside a coroutine.
#define ASSIGN_OR_RETURN(lhs, expr) \
  ASSIGN_OR_RETURN_INNER(return, BASE_CONCAT(result_, __LINE__), lhs, expr)
#define CO_ASSIGN_OR_RETURN(lhs, expr) \
  ASSIGN_OR_RETURN_INNER(co_return, BASE_CONCAT(result_, __LINE__), lhs, expr)
#define ASSIGN_OR_RETURN_INNER(return_word, tmp, lhs, expr) \
  auto tmp = (expr);                                        \
  if (!tmp.has_value()) {                                   \
    return_word ::base::Error(std::move(tmp).error());      \
  }                                                         \
  lhs = *std::move(tmp)

#endif  // BASE_RESULT_H_
