// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/cryptoki.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace hsm::token {
namespace {

using enum base::ErrorCode;

#define Row(rv, code) \
  RvMeaning { rv, #rv, code }

// PKCS#11 3.1 section 5.1. kHsmUnavailable ends the worker, so it stands only
// where no other key could be used either; CKR_GENERAL_ERROR and
// CKR_FUNCTION_FAILED do not say, and whoever sees them asks the token (see
// Liveness). A token that is full still serves the keys it has. Sorted by
// value.
constexpr std::array kMeanings = {
    // clang-format off
    Row(CKR_CANCEL, kHsmUnavailable),
    Row(CKR_HOST_MEMORY, kHsmUnavailable),
    Row(CKR_SLOT_ID_INVALID, kHsmUnavailable),
    Row(CKR_GENERAL_ERROR, kInternal),
    Row(CKR_FUNCTION_FAILED, kInternal),
    Row(CKR_ARGUMENTS_BAD, kInternal),
    Row(CKR_NO_EVENT, kInternal),
    Row(CKR_NEED_TO_CREATE_THREADS, kHsmUnavailable),
    Row(CKR_CANT_LOCK, kHsmUnavailable),
    Row(CKR_ATTRIBUTE_READ_ONLY, kInternal),
    Row(CKR_ATTRIBUTE_SENSITIVE, kInternal),
    Row(CKR_ATTRIBUTE_TYPE_INVALID, kUnsupportedOperation),
    Row(CKR_ATTRIBUTE_VALUE_INVALID, kInternal),
    Row(CKR_COPY_PROHIBITED, kInternal),
    Row(CKR_ACTION_PROHIBITED, kInternal),
    Row(CKR_DATA_INVALID, kInternal),
    Row(CKR_DATA_LEN_RANGE, kInternal),
    Row(CKR_DEVICE_ERROR, kHsmUnavailable),
    Row(CKR_DEVICE_MEMORY, kLimitExceeded),
    Row(CKR_DEVICE_REMOVED, kHsmUnavailable),
    Row(CKR_ENCRYPTED_DATA_INVALID, kInvalidCiphertext),
    Row(CKR_ENCRYPTED_DATA_LEN_RANGE, kInvalidCiphertext),
    Row(CKR_AEAD_DECRYPT_FAILED, kInvalidCiphertext),
    Row(CKR_FUNCTION_CANCELED, kHsmUnavailable),
    Row(CKR_FUNCTION_NOT_PARALLEL, kUnsupportedOperation),
    Row(CKR_FUNCTION_NOT_SUPPORTED, kUnsupportedOperation),
    Row(CKR_KEY_HANDLE_INVALID, kNotFound),
    Row(CKR_KEY_SIZE_RANGE, kUnsupportedOperation),
    Row(CKR_KEY_TYPE_INCONSISTENT, kInternal),
    Row(CKR_KEY_NOT_NEEDED, kInternal),
    Row(CKR_KEY_CHANGED, kInternal),
    Row(CKR_KEY_NEEDED, kInternal),
    Row(CKR_KEY_INDIGESTIBLE, kInternal),
    Row(CKR_KEY_FUNCTION_NOT_PERMITTED, kInternal),
    Row(CKR_KEY_NOT_WRAPPABLE, kInternal),
    Row(CKR_KEY_UNEXTRACTABLE, kInternal),
    Row(CKR_MECHANISM_INVALID, kUnsupportedOperation),
    Row(CKR_MECHANISM_PARAM_INVALID, kUnsupportedOperation),
    Row(CKR_OBJECT_HANDLE_INVALID, kNotFound),
    Row(CKR_OPERATION_ACTIVE, kInternal),
    Row(CKR_OPERATION_NOT_INITIALIZED, kInternal),
    Row(CKR_PIN_INCORRECT, kAccessDenied),
    Row(CKR_PIN_INVALID, kAccessDenied),
    Row(CKR_PIN_LEN_RANGE, kAccessDenied),
    Row(CKR_PIN_EXPIRED, kAccessDenied),
    Row(CKR_PIN_LOCKED, kAccessDenied),
    Row(CKR_SESSION_CLOSED, kHsmUnavailable),
    Row(CKR_SESSION_COUNT, kHsmUnavailable),
    Row(CKR_SESSION_HANDLE_INVALID, kHsmUnavailable),
    Row(CKR_SESSION_PARALLEL_NOT_SUPPORTED, kInternal),
    Row(CKR_SESSION_READ_ONLY, kInternal),
    Row(CKR_SESSION_EXISTS, kHsmUnavailable),
    Row(CKR_SESSION_READ_ONLY_EXISTS, kInternal),
    Row(CKR_SESSION_READ_WRITE_SO_EXISTS, kInternal),
    Row(CKR_SIGNATURE_INVALID, kInternal),
    Row(CKR_SIGNATURE_LEN_RANGE, kInternal),
    Row(CKR_TEMPLATE_INCOMPLETE, kInternal),
    Row(CKR_TEMPLATE_INCONSISTENT, kInternal),
    Row(CKR_TOKEN_NOT_PRESENT, kHsmUnavailable),
    Row(CKR_TOKEN_NOT_RECOGNIZED, kHsmUnavailable),
    Row(CKR_TOKEN_WRITE_PROTECTED, kHsmUnavailable),
    Row(CKR_UNWRAPPING_KEY_SIZE_RANGE, kInternal),
    Row(CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT, kInternal),
    Row(CKR_USER_ALREADY_LOGGED_IN, kInternal),
    Row(CKR_USER_NOT_LOGGED_IN, kHsmUnavailable),
    Row(CKR_USER_PIN_NOT_INITIALIZED, kAccessDenied),
    Row(CKR_USER_TYPE_INVALID, kInternal),
    Row(CKR_USER_ANOTHER_ALREADY_LOGGED_IN, kHsmUnavailable),
    Row(CKR_USER_TOO_MANY_TYPES, kHsmUnavailable),
    Row(CKR_WRAPPED_KEY_INVALID, kInternal),
    Row(CKR_WRAPPED_KEY_LEN_RANGE, kInternal),
    Row(CKR_WRAPPING_KEY_HANDLE_INVALID, kInternal),
    Row(CKR_WRAPPING_KEY_SIZE_RANGE, kInternal),
    Row(CKR_WRAPPING_KEY_TYPE_INCONSISTENT, kInternal),
    Row(CKR_RANDOM_SEED_NOT_SUPPORTED, kUnsupportedOperation),
    Row(CKR_RANDOM_NO_RNG, kHsmUnavailable),
    Row(CKR_DOMAIN_PARAMS_INVALID, kInternal),
    Row(CKR_CURVE_NOT_SUPPORTED, kUnsupportedOperation),
    Row(CKR_BUFFER_TOO_SMALL, kInternal),
    Row(CKR_SAVED_STATE_INVALID, kInternal),
    Row(CKR_INFORMATION_SENSITIVE, kInternal),
    Row(CKR_STATE_UNSAVEABLE, kUnsupportedOperation),
    Row(CKR_CRYPTOKI_NOT_INITIALIZED, kHsmUnavailable),
    Row(CKR_CRYPTOKI_ALREADY_INITIALIZED, kInternal),
    Row(CKR_MUTEX_BAD, kHsmUnavailable),
    Row(CKR_MUTEX_NOT_LOCKED, kHsmUnavailable),
    Row(CKR_NEW_PIN_MODE, kAccessDenied),
    Row(CKR_NEXT_OTP, kAccessDenied),
    Row(CKR_EXCEEDED_MAX_ITERATIONS, kHsmUnavailable),
    Row(CKR_FIPS_SELF_TEST_FAILED, kHsmUnavailable),
    Row(CKR_LIBRARY_LOAD_FAILED, kHsmUnavailable),
    Row(CKR_PIN_TOO_WEAK, kAccessDenied),
    Row(CKR_PUBLIC_KEY_INVALID, kInternal),
    Row(CKR_FUNCTION_REJECTED, kInternal),
    // clang-format on
};
static_assert(std::ranges::is_sorted(kMeanings, {}, &RvMeaning::rv));

#undef Row

const RvMeaning* Find(CK_RV rv) {
  const auto it = std::ranges::lower_bound(kMeanings, rv, {}, &RvMeaning::rv);
  return it != kMeanings.end() && it->rv == rv ? &*it : nullptr;
}

}  // namespace

std::span<const RvMeaning> RvMeanings() { return kMeanings; }

base::ErrorCode CodeOf(CK_RV rv) {
  const RvMeaning* meaning = Find(rv);
  return meaning == nullptr ? kInternal : meaning->code;
}

bool IsOfToken(base::ErrorCode code) {
  return code == kHsmUnavailable || code == kLimitExceeded;
}

std::string RvText(CK_RV rv) {
  const RvMeaning* meaning = Find(rv);
  return fmt::format("{} ({:#x})", meaning == nullptr ? "CK_RV" : meaning->name,
                     rv);
}

base::Error RvError(CK_RV rv, std::string_view function) {
  return base::Error{CodeOf(rv), fmt::format("{}: {}", function, RvText(rv))};
}

base::Status Check(CK_RV rv, std::string_view function) {
  if (rv == CKR_OK) {
    return {};
  }
  return RvError(rv, function);
}

CK_BYTE* Unconst(base::ByteView bytes) {
  static CK_BYTE nothing = 0;
  return bytes.empty() ? &nothing : const_cast<CK_BYTE*>(bytes.data());
}

std::string PaddedText(base::ByteView field) {
  const std::string_view text = base::AsText(field);
  return std::string(text.substr(0, text.find_last_not_of(' ') + 1));
}

}  // namespace hsm::token
