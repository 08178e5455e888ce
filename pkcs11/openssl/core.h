// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_OPENSSL_CORE_H_
#define PKCS11_OPENSSL_CORE_H_

#include <openssl/core.h>
#include <openssl/core_dispatch.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace pkcs11::openssl {

// Why something failed, as OpenSSL's errors name it; the text behind it says
// the rest.
enum class Reason : std::uint32_t {
  kKms = 1,        // The KMS said no, or nothing.
  kConfiguration,  // Where the KMS is.
  kReference,      // A URI or a reference file.
  kUsage,          // The key is there for something else.
  kNotByKms,       // No KMS does that.
  kArguments,      // What the caller passes does not fit together.
  kOpenssl,        // OpenSSL's own part failed.
};

// The texts of reasons, as OSSL_FUNC_provider_get_reason_strings wants them.
const OSSL_ITEM* ReasonTexts();

// A Core is the OpenSSL that has loaded the provider, as the provider may call
// it. Copyable; all copies are the same. Safe to call from any thread.
class Core {
 public:
  // What OSSL_provider_init is given. Fails with kInternal if a function that
  // is needed is missing.
  static base::Result<Core> Create(const OSSL_CORE_HANDLE* handle,
                                   const OSSL_DISPATCH* functions);

  // The value of a parameter in the provider's section of openssl.cnf.
  std::optional<std::string> Parameter(const char* name) const;

  // Puts an error on the calling thread's queue. The text may hold what the
  // server sent, and is made fit for a terminal. Returns 0, which is what
  // OpenSSL takes for a failure.
  int Raise(Reason reason, std::string_view text) const;

  // The same for an error of a decoder, which must outlive what OpenSSL does
  // when one has failed: it tries others, and drops the errors of those that
  // failed by going back to a mark. Here it finds marks of our own, above this
  // error. Those that it does not use go when the error is read or cleared.
  int RaiseToStay(Reason reason, std::string_view text) const;

  // What follows, and CallBack(), leave the fork gate: the host may wait there.

  // Reads up to `into.size()` bytes, fewer only at the end.
  std::size_t Read(OSSL_CORE_BIO* bio, std::span<std::uint8_t> into) const;
  // Reads to the end of a line, or as much of it as fits, with a line break if
  // one was there. Empty at the end of the data.
  std::string_view ReadLine(OSSL_CORE_BIO* bio, std::span<char> into) const;

 private:
  const OSSL_CORE_HANDLE* handle_ = nullptr;
  OSSL_FUNC_core_get_params_fn* get_params_ = nullptr;
  OSSL_FUNC_core_new_error_fn* new_error_ = nullptr;
  OSSL_FUNC_core_set_error_debug_fn* set_error_debug_ = nullptr;
  OSSL_FUNC_core_vset_error_fn* set_error_ = nullptr;
  OSSL_FUNC_core_set_error_mark_fn* set_mark_ = nullptr;
  OSSL_FUNC_BIO_read_ex_fn* read_ = nullptr;
  OSSL_FUNC_BIO_gets_fn* gets_ = nullptr;
};

// Gives the host what it has asked for; returns what it says.
int CallBack(OSSL_CALLBACK* callback, const OSSL_PARAM* params, void* argument);

}  // namespace pkcs11::openssl

#endif  // PKCS11_OPENSSL_CORE_H_
