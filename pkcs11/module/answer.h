// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_ANSWER_H_
#define PKCS11_MODULE_ANSWER_H_

#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "base/result.h"
#include "pkcs11/errors.h"
#include "pkcs11/p11_v3.h"

namespace pkcs11::module {

// A Failure is what a Cryptoki function returns instead of CKR_OK. A CK_RV says
// things that base::ErrorCode has no words for, so this and not base::Error is
// what the module's own functions fail with.
struct Failure {
  CK_RV rv;
  std::string message;  // For the log; empty: nothing that an operator needs.

  explicit Failure(CK_RV value, std::string text = {})
      : rv(value), message(std::move(text)) {}
  explicit Failure(const base::Error& error)
      : rv(RvOf(error.code)), message(error.message) {}
};

// An Answer is a T, or the Failure that prevented it.
template <typename T>
class [[nodiscard]] Answer : public tl::expected<T, Failure> {
 public:
  using tl::expected<T, Failure>::expected;
  Answer(Failure failure)  // NOLINT(google-explicit-constructor)
      : tl::expected<T, Failure>(tl::unexpect, std::move(failure)) {}
};

using Status = Answer<void>;

}  // namespace pkcs11::module

// RETURN_IF_FAILED and ASSIGN_OR_FAIL are RETURN_IF_ERROR and ASSIGN_OR_RETURN
// of base/result.h for functions that return an Answer. The expression may be
// an Answer or a base::Result, whose error is translated by pkcs11/errors.h.
#define RETURN_IF_FAILED(expr)                                      \
  do {                                                              \
    if (auto status_ = (expr); !status_.has_value()) {              \
      return ::pkcs11::module::Failure(std::move(status_).error()); \
    }                                                               \
  } while (false)

#define ASSIGN_OR_FAIL(lhs, expr) \
  ASSIGN_OR_FAIL_INNER(BASE_CONCAT(answer_, __LINE__), lhs, expr)
#define ASSIGN_OR_FAIL_INNER(tmp, lhs, expr)                  \
  auto tmp = (expr);                                          \
  if (!tmp.has_value()) {                                     \
    return ::pkcs11::module::Failure(std::move(tmp).error()); \
  }                                                           \
  lhs = *std::move(tmp)

#endif  // PKCS11_MODULE_ANSWER_H_
