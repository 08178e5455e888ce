// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_BENCH_MODULE_CALLER_H_
#define TESTS_BENCH_MODULE_CALLER_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "pkcs11/p11_v3.h"

namespace bench {

// A ModuleCaller is a program that has loaded the PKCS#11 module: it stays in
// the process. One at a time. What is const is safe to call from any thread.
class ModuleCaller {
 public:
  // Loads and initialises the module at `path`, whose token is the KMS at the
  // Unix socket `socket`.
  static base::Result<ModuleCaller> Load(const std::string& path,
                                         const std::string& socket);

  base::Result<CK_SESSION_HANDLE> OpenSession() const;
  base::Result<std::size_t> CountObjects(CK_SESSION_HANDLE session) const;
  base::Result<CK_OBJECT_HANDLE> PrivateKey(CK_SESSION_HANDLE session,
                                            std::string_view label) const;
  base::Status Sign(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
                    CK_MECHANISM_TYPE mechanism) const;

 private:
  explicit ModuleCaller(CK_FUNCTION_LIST* functions) : functions_(functions) {}

  CK_FUNCTION_LIST* functions_;
};

}  // namespace bench

#endif  // TESTS_BENCH_MODULE_CALLER_H_
