// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_PKCS11_SESSION_KEY_TEST_H_
#define TESTS_PKCS11_SESSION_KEY_TEST_H_

#include <utility>
#include <vector>

#include "tests/pkcs11/cryptoki_test.h"

namespace pkcs11::module {

// What tests of secret keys of sessions have in common.
class SessionKeyTest : public CryptokiTest {
 protected:
  using Rows = std::vector<CK_ATTRIBUTE>;

  explicit SessionKeyTest(TokenOptions options = {})
      : CryptokiTest(std::move(options)) {}

  // A new secret key with that value, and `more` attributes.
  CK_OBJECT_HANDLE MakeSecret(CK_KEY_TYPE type, base::Bytes value,
                              const Rows& more = {}) const {
    CK_OBJECT_CLASS secret = CKO_SECRET_KEY;
    Rows rows = {Row(CKA_CLASS, secret),
                 Row(CKA_KEY_TYPE, type),
                 {CKA_VALUE, value.data(), value.size()}};
    rows.insert(rows.end(), more.begin(), more.end());
    CK_OBJECT_HANDLE key = 0;
    EXPECT_EQ(C_CreateObject(session_, rows.data(), rows.size(), &key), CKR_OK);
    return key;
  }
  CK_OBJECT_HANDLE MakeAes(std::string_view hex, const Rows& more = {}) const {
    return MakeSecret(CKK_AES, *base::HexDecode(hex), more);
  }

  CK_BBOOL yes_ = CK_TRUE;
  CK_BBOOL no_ = CK_FALSE;
};

}  // namespace pkcs11::module

#endif  // TESTS_PKCS11_SESSION_KEY_TEST_H_
