// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_OPENSSL_SHIM_H_
#define PKCS11_OPENSSL_SHIM_H_

#include <openssl/core_dispatch.h>
#include <openssl/err.h>

#include <new>
#include <type_traits>

#include "pkcs11/cancellation.h"
#include "pkcs11/fork_gate.h"

// How C++ functions become rows of the tables that a provider gives to OpenSSL.
namespace pkcs11::openssl {

template <auto kFunction>
struct Shim;

// Nothing that is thrown gets past here: it becomes the 0 or null pointer by
// which OpenSSL knows a failure, and an error on its queue, where the default
// provider has its own.
template <typename Result, typename... Args, Result (*kFunction)(Args...)>
struct Shim<kFunction> {
  static Result Call(Args... args) noexcept {
    const WithoutCancellation uncancelled;
    try {
      const InsideForkGate inside;
      return kFunction(args...);
    } catch (const std::bad_alloc&) {
      ERR_raise(ERR_LIB_PROV, ERR_R_MALLOC_FAILURE);
    } catch (...) {
      ERR_raise(ERR_LIB_PROV, ERR_R_INTERNAL_ERROR);
    }
    return Result();
  }
};

// The row of a function whose type must be `Type`, such as
// OSSL_FUNC_keymgmt_new_fn.
template <typename Type, auto kFunction>
OSSL_DISPATCH Row(int id) {
  static_assert(std::is_same_v<Type*, decltype(kFunction)>);
  return {id, reinterpret_cast<void (*)()>(&Shim<kFunction>::Call)};
}

inline constexpr OSSL_DISPATCH kEndOfRows = {0, nullptr};

}  // namespace pkcs11::openssl

#endif  // PKCS11_OPENSSL_SHIM_H_
