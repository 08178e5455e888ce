// SPDX-License-Identifier: Apache-2.0
// PKCS#11 2.40 sections 5.4 and 5.5: the library, its slots and tokens. None of
// these asks the KMS, since every program that loads PKCS#11 modules calls
// them.
#include <algorithm>
#include <array>
#include <charconv>

#include "pkcs11/algorithms.h"
#include "pkcs11/module/functions.h"
#include "pkcs11/module/module.h"
#include "pkcs11/module/output.h"
#include "pkcs11/module/pin.h"

namespace pkcs11::module {
namespace {

constexpr std::string_view kManufacturer = "Claviger";

// The first two numbers of CLAVIGER_VERSION.
CK_VERSION LibraryVersion() {
  constexpr std::string_view kText = CLAVIGER_VERSION;
  CK_VERSION version = {};
  const auto [end, problem] =
      std::from_chars(kText.data(), kText.data() + kText.size(), version.major);
  if (problem == std::errc() && end != kText.data() + kText.size()) {
    std::from_chars(end + 1, kText.data() + kText.size(), version.minor);
  }
  return version;
}

// Writes a list by the convention that C_GetSlotList and C_GetMechanismList
// share.
template <typename T, typename Range>
Status WriteList(const Range& values, T* list, CK_ULONG* count) {
  const CK_ULONG room = *count;
  *count = static_cast<CK_ULONG>(std::ranges::distance(values));
  if (list == nullptr) {
    return {};
  }
  if (room < *count) {
    return Failure(CKR_BUFFER_TOO_SMALL);
  }
  std::ranges::copy(values, list);
  return {};
}

struct KeySizes {
  CK_ULONG least = 0;
  CK_ULONG most = 0;
};

// PKCS#11 counts the lengths of secrets in bytes, all others in bits, and so
// the lengths of generic secrets that are to be made. Those of
// sessions may be shorter or longer than the KMS's.
KeySizes SizesOf(const Mechanism& mechanism) {
  if (mechanism.scheme == Scheme::kDigest) {
    return {};
  }
  if (mechanism.scheme == Scheme::kEnvelope) {
    return {kAesKeyBytes.back(), kAesKeyBytes.back()};
  }
  if (mechanism.key_type == CKK_AES) {
    return {kAesKeyBytes.front(), kAesKeyBytes.back()};
  }
  if (mechanism.type == CKM_GENERIC_SECRET_KEY_GEN) {
    return {8, 8 * kMaxSecretBytes};
  }
  KeySizes sizes;
  for (const KeySpec& spec : KeySpecs()) {
    if (spec.type == mechanism.key_type && HasPublicKey(spec)) {
      sizes.least =
          sizes.least == 0 ? spec.bits : std::min(sizes.least, spec.bits);
      sizes.most = std::max(sizes.most, spec.bits);
    }
  }
  return sizes.most != 0 ? sizes : KeySizes{1, kMaxSecretBytes};
}

// OpenSSL providers send every digest to a token that lists them.
bool IsListed(const Mechanism& mechanism, const TokenOptions& options) {
  return mechanism.scheme != Scheme::kDigest || options.digests;
}

}  // namespace

Status GetInfo(Module&, CK_INFO* info) {
  *info = {};
  info->cryptokiVersion = {2, 40};
  FillPadded(info->manufacturerID, kManufacturer);
  FillPadded(info->libraryDescription, "Claviger KMS module");
  info->libraryVersion = LibraryVersion();
  return {};
}

// Every slot has its token.
Status GetSlotList(Module& module, CK_BBOOL, CK_SLOT_ID* list,
                   CK_ULONG* count) {
  std::vector<CK_SLOT_ID> slots(module.slots());
  for (std::size_t i = 0; i < slots.size(); ++i) {
    slots[i] = i;
  }
  return WriteList(slots, list, count);
}

Status GetSlotInfo(Module& module, CK_SLOT_ID slot, CK_SLOT_INFO* info) {
  ASSIGN_OR_FAIL(const Token* token, module.TokenAt(slot));
  *info = {};
  FillPadded(info->slotDescription, "Claviger: " + token->label().label);
  FillPadded(info->manufacturerID, kManufacturer);
  info->flags = CKF_TOKEN_PRESENT;
  info->hardwareVersion = info->firmwareVersion = LibraryVersion();
  return {};
}

Status GetTokenInfo(Module& module, CK_SLOT_ID slot, CK_TOKEN_INFO* info) {
  ASSIGN_OR_FAIL(const Token* token, module.TokenAt(slot));
  *info = {};
  FillPadded(info->label, token->label().label);
  FillPadded(info->manufacturerID, kManufacturer);
  FillPadded(info->model, "KMS");
  FillPadded(info->serialNumber, token->label().serial);
  info->flags = CKF_TOKEN_INITIALIZED | CKF_RNG | CKF_USER_PIN_INITIALIZED;
  if (token->options().login == LoginMode::kPin) {
    info->flags |= CKF_LOGIN_REQUIRED;
  }
  info->ulMaxSessionCount = CK_EFFECTIVELY_INFINITE;
  info->ulSessionCount = module.CountSessions(slot, 0);
  info->ulMaxRwSessionCount = CK_EFFECTIVELY_INFINITE;
  info->ulRwSessionCount = module.CountSessions(slot, CKF_RW_SESSION);
  info->ulMaxPinLen = kMaxPinBytes;
  info->ulTotalPublicMemory = CK_UNAVAILABLE_INFORMATION;
  info->ulFreePublicMemory = CK_UNAVAILABLE_INFORMATION;
  info->ulTotalPrivateMemory = CK_UNAVAILABLE_INFORMATION;
  info->ulFreePrivateMemory = CK_UNAVAILABLE_INFORMATION;
  info->hardwareVersion = info->firmwareVersion = LibraryVersion();
  FillPadded(info->utcTime, "");
  return {};
}

Status GetMechanismList(Module& module, CK_SLOT_ID slot,
                        CK_MECHANISM_TYPE* list, CK_ULONG* count) {
  ASSIGN_OR_FAIL(const Token* token, module.TokenAt(slot));
  std::vector<CK_MECHANISM_TYPE> types;
  for (const Mechanism& mechanism : Mechanisms()) {
    if (IsListed(mechanism, token->options())) {
      types.push_back(mechanism.type);
    }
  }
  return WriteList(types, list, count);
}

Status GetMechanismInfo(Module& module, CK_SLOT_ID slot, CK_MECHANISM_TYPE type,
                        CK_MECHANISM_INFO* info) {
  ASSIGN_OR_FAIL(const Token* token, module.TokenAt(slot));
  const Mechanism* const mechanism = FindMechanism(type);
  if (mechanism == nullptr || !IsListed(*mechanism, token->options())) {
    return Failure(CKR_MECHANISM_INVALID);
  }
  const KeySizes sizes = SizesOf(*mechanism);
  *info = {sizes.least, sizes.most, mechanism->flags};
  return {};
}

// Slots do not come and go.
Status WaitForSlotEvent(Module&, CK_FLAGS flags, CK_SLOT_ID*, void* reserved) {
  if (reserved != nullptr) {
    return Failure(CKR_ARGUMENTS_BAD);
  }
  return Failure((flags & CKF_DONT_BLOCK) != 0 ? CKR_NO_EVENT
                                               : CKR_FUNCTION_NOT_SUPPORTED);
}

}  // namespace pkcs11::module
