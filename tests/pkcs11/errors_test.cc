// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/errors.h"

#include <gtest/gtest.h>

namespace pkcs11 {
namespace {

using base::ErrorCode;

constexpr int kCodes = static_cast<int>(ErrorCode::kInternal) + 1;

TEST(ErrorsTest, EveryCodeHasItsName) {
  for (int i = 0; i < kCodes; ++i) {
    const auto code = static_cast<ErrorCode>(i);
    for (const CK_RV rv : {RvOf(code), RvOfObjectChange(code)}) {
      EXPECT_NE(rv, CKR_OK) << i;
      EXPECT_NE(rv, CKR_GENERAL_ERROR) << i;
      EXPECT_TRUE(RvName(rv).starts_with("CKR_")) << i;
    }
    EXPECT_NE(RvOfObjectChange(code), CKR_FUNCTION_REJECTED) << i;
  }
  EXPECT_EQ(RvName(0xDEAD), "CKR 0xdead");
}

// Callers throw their handles away for less.
TEST(ErrorsTest, WhatMayPassIsNeverAnInvalidHandle) {
  for (const ErrorCode code :
       {ErrorCode::kIo, ErrorCode::kTimeout, ErrorCode::kKeyUnavailable,
        ErrorCode::kHsmUnavailable, ErrorCode::kInternal,
        ErrorCode::kCorrupt}) {
    EXPECT_EQ(RvOf(code), CKR_DEVICE_ERROR);
  }
  EXPECT_EQ(RvOf(ErrorCode::kThrottled), CKR_TOKEN_RESOURCE_EXCEEDED);
}

TEST(ErrorsTest, AnswersOfTheKmsAreToldApart) {
  EXPECT_EQ(RvOf(ErrorCode::kAccessDenied), CKR_FUNCTION_REJECTED);
  EXPECT_EQ(RvOfObjectChange(ErrorCode::kAccessDenied), CKR_ACTION_PROHIBITED);
  EXPECT_EQ(RvOf(ErrorCode::kExpiredToken), CKR_USER_NOT_LOGGED_IN);
  EXPECT_EQ(RvOf(ErrorCode::kDisabled), CKR_KEY_FUNCTION_NOT_PERMITTED);
  EXPECT_EQ(RvOf(ErrorCode::kNotFound), CKR_KEY_HANDLE_INVALID);
  EXPECT_EQ(RvOfObjectChange(ErrorCode::kNotFound), CKR_OBJECT_HANDLE_INVALID);
  EXPECT_EQ(RvOf(ErrorCode::kInvalidCiphertext), CKR_ENCRYPTED_DATA_INVALID);
  EXPECT_EQ(RvOf(ErrorCode::kMacMismatch), CKR_SIGNATURE_INVALID);
}

}  // namespace
}  // namespace pkcs11
