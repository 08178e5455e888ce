// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/attributes.h"

#include <array>
#include <utility>
#include <vector>

#include "hsm/algorithms.h"
#include "hsm/token/curves.h"
#include "hsm/token/mac.h"

namespace hsm::token {
namespace {

constexpr std::array kUsages = {CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN,  CKA_VERIFY,
                                CKA_WRAP,    CKA_UNWRAP,  CKA_DERIVE};

constexpr std::array kPrivateUsages = {CKA_DECRYPT, CKA_SIGN, CKA_SIGN_RECOVER,
                                       CKA_UNWRAP, CKA_DERIVE};
constexpr std::array kPublicUsages = {CKA_ENCRYPT, CKA_VERIFY,
                                      CKA_VERIFY_RECOVER, CKA_WRAP};

// Whether the public half can do that, where a private one is for this.
bool IsPublicUsage(KeyUse use, CK_ATTRIBUTE_TYPE usage) {
  return (usage == CKA_VERIFY && use == KeyUse::kSign) ||
         (usage == CKA_ENCRYPT &&
          (use == KeyUse::kDecrypt || use == KeyUse::kUnwrap)) ||
         (usage == CKA_WRAP && use == KeyUse::kUnwrap);
}

// A sensitive secret key that stays as it is made, without a usage.
Template BoundKey(CK_KEY_TYPE type, CK_ULONG size,
                  const AttributeSupport& support) {
  Template key;
  key.Set(CKA_CLASS, CK_ULONG{CKO_SECRET_KEY})
      .Set(CKA_KEY_TYPE, CK_ULONG{type})
      .Set(CKA_VALUE_LEN, size)
      .Set(CKA_PRIVATE, true)
      .Set(CKA_SENSITIVE, true)
      .Set(CKA_EXTRACTABLE, false);
  for (const CK_ATTRIBUTE_TYPE usage : kUsages) {
    key.Set(usage, false);
  }
  if (support.copyable) {
    key.Set(CKA_COPYABLE, false).Set(CKA_DESTROYABLE, true);
  }
  return key;
}

void Allow(Template& key, std::vector<CK_MECHANISM_TYPE> mechanisms,
           const AttributeSupport& support) {
  if (support.allowed_mechanisms) {
    key.SetMechanisms(std::move(mechanisms));
  }
}

void Name(Template& key, const Locator& locator) {
  key.Set(CKA_ID, locator.bytes).Set(CKA_LABEL, base::AsBytes(kLabel));
}

CK_KEY_TYPE TypeOf(KeyKind kind) {
  return kind == KeyKind::kRsa       ? CKK_RSA
         : kind == KeyKind::kEdwards ? CKK_EC_EDWARDS
                                     : CKK_EC;
}

// What a private key may do, and by which mechanisms.
void AllowUse(Template& key, const AlgorithmRow& row,
              const AttributeSupport& support) {
  switch (row.use) {
    case KeyUse::kSign:
      key.Set(CKA_SIGN, true);
      Allow(key,
            row.kind == KeyKind::kRsa
                ? std::vector<CK_MECHANISM_TYPE>{CKM_RSA_PKCS, CKM_RSA_PKCS_PSS}
                : std::vector<CK_MECHANISM_TYPE>{row.kind == KeyKind::kEdwards
                                                     ? CKM_EDDSA
                                                     : CKM_ECDSA},
            support);
      return;
    case KeyUse::kDecrypt:
      key.Set(CKA_DECRYPT, true);
      Allow(key, {CKM_RSA_PKCS_OAEP, CKM_RSA_X_509}, support);
      return;
    case KeyUse::kUnwrap:  // In two steps where the token cannot in one.
      key.Set(CKA_UNWRAP, true).Set(CKA_DECRYPT, true);
      Allow(key, {CKM_RSA_PKCS_OAEP, CKM_RSA_X_509}, support);
      return;
    case KeyUse::kAgree:
      key.Set(CKA_DERIVE, true);
      Allow(key, {CKM_ECDH1_DERIVE}, support);
      return;
    case KeyUse::kEncrypt:
    case KeyUse::kMac:
    case KeyUse::kWrap:
      return;  // No uses of a private key.
  }
}

}  // namespace

Template KeyTemplate(const KeyRef& key, const AttributeSupport& support) {
  Template made = BoundKey(CKK_AES, kAesKeySize, support);
  made.Set(CKA_TOKEN, true).Set(CKA_MODIFIABLE, false);
  Name(made, key.locator);
  if (key.algorithm == Algorithm::kXaes256Gcm) {
    made.Set(CKA_DERIVE, true);
    Allow(made, {CKM_AES_ECB_ENCRYPT_DATA}, support);
  } else {
    made.Set(CKA_ENCRYPT, true).Set(CKA_DECRYPT, true);
    Allow(made,
          support.ecb_for_counted
              ? std::vector<CK_MECHANISM_TYPE>{CKM_AES_GCM, CKM_AES_ECB}
              : std::vector<CK_MECHANISM_TYPE>{CKM_AES_GCM},
          support);
  }
  return made;
}

// Modifiable, because SoftHSM refuses C_DeriveKey otherwise; what matters
// (CKA_SENSITIVE, CKA_EXTRACTABLE) changes one way only.
Template MessageKeyTemplate(const AttributeSupport& support) {
  Template key = BoundKey(CKK_AES, kAesKeySize, support);
  key.Set(CKA_TOKEN, false).Set(CKA_ENCRYPT, true).Set(CKA_DECRYPT, true);
  Allow(key, {CKM_AES_GCM}, support);
  return key;
}

Template ReadableTemplate(CK_ULONG size) {
  Template secret;
  secret.Set(CKA_CLASS, CK_ULONG{CKO_SECRET_KEY})
      .Set(CKA_KEY_TYPE, CK_ULONG{CKK_GENERIC_SECRET})
      .Set(CKA_VALUE_LEN, size)
      .Set(CKA_TOKEN, false)
      .Set(CKA_PRIVATE, true)
      .Set(CKA_SENSITIVE, false)
      .Set(CKA_EXTRACTABLE, true);
  for (const CK_ATTRIBUTE_TYPE usage : kUsages) {
    secret.Set(usage, false);
  }
  return secret;
}

Template MacKeyTemplate(const KeyRef& key, const AttributeSupport& support) {
  const MacRow& row = *FindMac(key.algorithm);
  Template made = BoundKey(CKK_GENERIC_SECRET, row.key_size, support);
  made.Set(CKA_TOKEN, true).Set(CKA_MODIFIABLE, false).Set(CKA_SIGN, true);
  Name(made, key.locator);
  Allow(made, {row.mechanism}, support);
  return made;
}

Template SecretTemplate(const KeyRef& key, const AttributeSupport& support) {
  return FindMac(key.algorithm) != nullptr ? MacKeyTemplate(key, support)
                                           : KeyTemplate(key, support);
}

Template SessionSecretTemplate(const KeyRef& key,
                               const AttributeSupport& support) {
  Template made = SecretTemplate(key, support);
  made.Set(CKA_TOKEN, false)
      .Remove(CKA_MODIFIABLE)
      .Remove(CKA_COPYABLE)
      .Remove(CKA_VALUE_LEN);
  return made;
}

Template WrappingKeyTemplate(const KeyRef& key, CK_MECHANISM_TYPE mechanism,
                             const AttributeSupport& support, bool shareable) {
  Template unwrapped;
  unwrapped.Set(CKA_PRIVATE, true)
      .Set(CKA_SENSITIVE, true)
      .Set(CKA_EXTRACTABLE, false);
  Template made = BoundKey(CKK_AES, kAesKeySize, support);
  made.Set(CKA_TOKEN, true)
      .Set(CKA_MODIFIABLE, false)
      .Set(CKA_WRAP, true)
      .Set(CKA_UNWRAP, true)
      .Set(CKA_UNWRAP_TEMPLATE, std::move(unwrapped));
  if (shareable) {
    made.Set(CKA_EXTRACTABLE, true).Set(CKA_WRAP_WITH_TRUSTED, true);
  }
  Name(made, key.locator);
  Allow(made, {mechanism}, support);
  return made;
}

Template WrappableSecretTemplate(const KeyRef& key,
                                 const AttributeSupport& support) {
  const MacRow* const mac = FindMac(key.algorithm);
  Template made = mac != nullptr
                      ? BoundKey(CKK_GENERIC_SECRET, mac->key_size, support)
                      : BoundKey(CKK_AES, kAesKeySize, support);
  made.Set(CKA_TOKEN, false).Set(CKA_EXTRACTABLE, true);
  return made;
}

Template UnwrappingTemplate(CK_MECHANISM_TYPE mechanism,
                            const AttributeSupport& support) {
  Template key = BoundKey(CKK_AES, kAesKeySize, support);
  key.Set(CKA_TOKEN, false).Set(CKA_UNWRAP, true).Remove(CKA_VALUE_LEN);
  Allow(key, {mechanism}, support);
  return key;
}

Template MeasuringTemplate(CK_MECHANISM_TYPE mechanism,
                           const AttributeSupport& support) {
  Template key = BoundKey(CKK_AES, kAesKeySize, support);
  key.Set(CKA_TOKEN, false).Set(CKA_WRAP, true);
  Allow(key, {mechanism}, support);
  return key;
}

Template MeasuredTemplate() {
  Template secret = ReadableTemplate(0);
  secret.Remove(CKA_VALUE_LEN).Set(CKA_SENSITIVE, true);
  return secret;
}

Template PublicTemplate(const KeyRef& key) {
  const AlgorithmRow& row = *FindAlgorithm(key.algorithm);
  Template made;
  made.Set(CKA_CLASS, CK_ULONG{CKO_PUBLIC_KEY})
      .Set(CKA_KEY_TYPE, CK_ULONG{TypeOf(row.kind)})
      .Set(CKA_TOKEN, false)
      .Set(CKA_PRIVATE, false);
  // NSS tests a new pair by using both halves.
  for (const CK_ATTRIBUTE_TYPE usage : kPublicUsages) {
    made.Set(usage, IsPublicUsage(row.use, usage));
  }
  if (const Curve* curve = FindCurve(key.algorithm)) {
    made.Set(CKA_EC_PARAMS,
             base::HexDecode(curve->oid).value_or(base::Bytes()));
  } else {
    made.Set(CKA_MODULUS_BITS, static_cast<CK_ULONG>(row.bits))
        .Set(CKA_PUBLIC_EXPONENT, kPublicExponent);
  }
  return made;
}

Template PrivateTemplate(const KeyRef& key, const AttributeSupport& support) {
  Template made = SessionPrivateTemplate(key, support);
  made.Set(CKA_TOKEN, true).Set(CKA_MODIFIABLE, false);
  if (support.copyable) {
    made.Set(CKA_COPYABLE, false).Set(CKA_DESTROYABLE, true);
  }
  return made;
}

Template SessionPrivateTemplate(const KeyRef& key,
                                const AttributeSupport& support) {
  const AlgorithmRow& row = *FindAlgorithm(key.algorithm);
  Template made;
  made.Set(CKA_CLASS, CK_ULONG{CKO_PRIVATE_KEY})
      .Set(CKA_KEY_TYPE, CK_ULONG{TypeOf(row.kind)})
      .Set(CKA_TOKEN, false)
      .Set(CKA_PRIVATE, true)
      .Set(CKA_SENSITIVE, true)
      .Set(CKA_EXTRACTABLE, false);
  for (const CK_ATTRIBUTE_TYPE usage : kPrivateUsages) {
    made.Set(usage, false);
  }
  Name(made, key.locator);
  AllowUse(made, row, support);
  return made;
}

Template PrivateCopyTemplate() {
  Template copy;
  copy.Set(CKA_TOKEN, true).Set(CKA_MODIFIABLE, false);
  return copy;
}

Template AllObjects() {
  Template pattern;
  pattern.Set(CKA_TOKEN, true);
  return pattern;
}

Template ObjectsWithId(const Locator& locator) {
  Template pattern = AllObjects();
  pattern.Set(CKA_ID, locator.bytes);
  return pattern;
}

}  // namespace hsm::token
