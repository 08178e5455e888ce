// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_PKCS11_KEY_MAKING_TEST_H_
#define TESTS_PKCS11_KEY_MAKING_TEST_H_

#include <string>
#include <utility>
#include <vector>

#include "tests/pkcs11/cryptoki_test.h"

namespace pkcs11::module {

// What tests of C_GenerateKey and C_GenerateKeyPair have in common.
class KeyMakingTest : public CryptokiTest {
 protected:
  using Rows = std::vector<CK_ATTRIBUTE>;

  explicit KeyMakingTest(TokenOptions options = {})
      : CryptokiTest(std::move(options)) {}

  // Makes public_ and private_.
  CK_RV MakePair(CK_MECHANISM_TYPE type, Rows of_public, Rows of_private) {
    CK_MECHANISM mechanism = {type, nullptr, 0};
    return C_GenerateKeyPair(session_, &mechanism, of_public.data(),
                             of_public.size(), of_private.data(),
                             of_private.size(), &public_, &private_);
  }
  // Makes private_.
  CK_RV GenerateSecret(CK_MECHANISM_TYPE type, Rows rows) {
    CK_MECHANISM mechanism = {type, nullptr, 0};
    return C_GenerateKey(session_, &mechanism, rows.data(), rows.size(),
                         &private_);
  }
  std::string SpecOf(CK_OBJECT_HANDLE key) const {
    return std::string(base::AsText(Value(key, CKA_KMS_KEY_SPEC)));
  }
  std::string UsageOf(CK_OBJECT_HANDLE key) const {
    return std::string(base::AsText(Value(key, CKA_KMS_KEY_USAGE)));
  }

  CK_BBOOL yes_ = CK_TRUE;
  CK_BBOOL no_ = CK_FALSE;
  CK_ULONG bits_ = 2048;
  CK_OBJECT_HANDLE public_ = 0;
  CK_OBJECT_HANDLE private_ = 0;
};

}  // namespace pkcs11::module

#endif  // TESTS_PKCS11_KEY_MAKING_TEST_H_
