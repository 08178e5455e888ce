// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_PKCS11_CRYPTOKI_TEST_H_
#define TESTS_PKCS11_CRYPTOKI_TEST_H_

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "pkcs11/module/token_options.h"
#include "pkcs11/p11_v3.h"
#include "tests/pkcs11/fake_kms.h"

namespace pkcs11::module {

// What a test calls C functions with: an initialised module whose only token is
// a FakeKms, and an open session.
class CryptokiTest : public testing::Test {
 protected:
  // The token is told `options`.
  explicit CryptokiTest(TokenOptions options = {});
  ~CryptokiTest() override;

  // A session more.
  static CK_SESSION_HANDLE Open(CK_FLAGS flags = CKF_RW_SESSION);

  // All objects that have the attributes.
  std::vector<CK_OBJECT_HANDLE> FindAll(std::vector<CK_ATTRIBUTE> wanted) const;
  // The only object of a class with a label; 0 and a failed test otherwise.
  CK_OBJECT_HANDLE Find(CK_OBJECT_CLASS object_class,
                        std::string_view label) const;

  // The value of an attribute, which the object must have.
  base::Bytes Value(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const;
  CK_ULONG Number(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const;
  bool Flag(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const;

  // One-part operations: the CK_RV of whichever call fails, else CKR_OK.
  CK_RV Sign(CK_MECHANISM mechanism, CK_OBJECT_HANDLE key,
             base::ByteView message, base::Bytes* signature) const;
  CK_RV Verify(CK_MECHANISM mechanism, CK_OBJECT_HANDLE key,
               base::ByteView message, base::ByteView signature) const;

  FakeKms* kms_;            // Owned by the module.
  base::FakeClock* clock_;  // Likewise.
  CK_SESSION_HANDLE session_ = 0;
};

// A pointer to what Cryptoki does not change but takes as non-const.
CK_BYTE* Unconst(base::ByteView bytes);

// A row of a template; borrows.
template <typename T>
CK_ATTRIBUTE Row(CK_ATTRIBUTE_TYPE type, T& value) {
  return {type, &value, sizeof(value)};
}
CK_ATTRIBUTE TextRow(CK_ATTRIBUTE_TYPE type, std::string_view text);

base::Bytes Hashed(const char* name, base::ByteView message);

}  // namespace pkcs11::module

#endif  // TESTS_PKCS11_CRYPTOKI_TEST_H_
