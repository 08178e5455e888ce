// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/object.h"

#include <array>

namespace pkcs11::module {
namespace {

// Which of a key's uses an object of a class has.
struct UseRow {
  CK_ATTRIBUTE_TYPE type;
  CK_OBJECT_CLASS object_class;
  Usage usage;
};
constexpr std::array kUses = {
    UseRow{CKA_SIGN, CKO_PRIVATE_KEY, Usage::kSignVerify},
    UseRow{CKA_VERIFY, CKO_PUBLIC_KEY, Usage::kSignVerify},
    UseRow{CKA_DECRYPT, CKO_PRIVATE_KEY, Usage::kEncryptDecrypt},
    UseRow{CKA_UNWRAP, CKO_PRIVATE_KEY, Usage::kEncryptDecrypt},
    UseRow{CKA_ENCRYPT, CKO_PUBLIC_KEY, Usage::kEncryptDecrypt},
    UseRow{CKA_WRAP, CKO_PUBLIC_KEY, Usage::kEncryptDecrypt},
    UseRow{CKA_DERIVE, CKO_PRIVATE_KEY, Usage::kKeyAgreement},
    UseRow{CKA_DERIVE, CKO_PUBLIC_KEY, Usage::kKeyAgreement},
    UseRow{CKA_ENCRYPT, CKO_SECRET_KEY, Usage::kEncryptDecrypt},
    UseRow{CKA_DECRYPT, CKO_SECRET_KEY, Usage::kEncryptDecrypt},
    UseRow{CKA_WRAP, CKO_SECRET_KEY, Usage::kEncryptDecrypt},
    UseRow{CKA_UNWRAP, CKO_SECRET_KEY, Usage::kEncryptDecrypt},
    UseRow{CKA_SIGN, CKO_SECRET_KEY, Usage::kGenerateVerifyMac},
    UseRow{CKA_VERIFY, CKO_SECRET_KEY, Usage::kGenerateVerifyMac},
};

// The uses that the standard has for a class; those not above are false.
constexpr std::array kPrivateUses = {CKA_SIGN, CKA_SIGN_RECOVER, CKA_DECRYPT,
                                     CKA_UNWRAP, CKA_DERIVE};
constexpr std::array kPublicUses = {CKA_VERIFY, CKA_VERIFY_RECOVER, CKA_ENCRYPT,
                                    CKA_WRAP, CKA_DERIVE};
constexpr std::array kSecretUses = {CKA_SIGN,    CKA_VERIFY, CKA_ENCRYPT,
                                    CKA_DECRYPT, CKA_WRAP,   CKA_UNWRAP,
                                    CKA_DERIVE};

// Secret parts, which a key has and does not tell.
constexpr std::array kRsaSecrets = {CKA_PRIVATE_EXPONENT, CKA_PRIME_1,
                                    CKA_PRIME_2,          CKA_EXPONENT_1,
                                    CKA_EXPONENT_2,       CKA_COEFFICIENT};

void AddUses(Object& object) {
  for (const CK_ATTRIBUTE_TYPE type : UsesOf(object.object_class)) {
    object.attributes.SetBool(
        type, HasUse(type, object.object_class, object.key->usage));
  }
}

void AddMechanisms(Object& object) {
  std::vector<CK_MECHANISM_TYPE> allowed;
  for (const Mechanism& mechanism : Mechanisms()) {
    if (Fits(mechanism, *object.key->spec, object.key->usage)) {
      allowed.push_back(mechanism.type);
    }
  }
  object.attributes.Set(CKA_ALLOWED_MECHANISMS,
                        {reinterpret_cast<const std::uint8_t*>(allowed.data()),
                         allowed.size() * sizeof(CK_MECHANISM_TYPE)});
}

// Whether the KMS made the key, as it does not with those that are imported or
// kept elsewhere.
bool WasMadeThere(const Key& key) { return key.origin == "AWS_KMS"; }

// The mechanism by which keys of a type are made. HMAC keys are generic
// secrets when they are.
CK_MECHANISM_TYPE GeneratorOf(CK_KEY_TYPE type) {
  for (const Mechanism& mechanism : Mechanisms()) {
    if (mechanism.scheme == Scheme::kGenerate && mechanism.key_type == type) {
      return mechanism.type;  // The first: the standard's come before ours.
    }
  }
  return CKM_GENERIC_SECRET_KEY_GEN;
}

void AddCommon(Object& object) {
  AttributeSet& attributes = object.attributes;
  const Key& key = *object.key;
  attributes.SetNumber(CKA_CLASS, object.object_class);
  attributes.SetNumber(CKA_KEY_TYPE, key.spec->type);
  attributes.SetText(CKA_UNIQUE_ID, object.unique_id);
  attributes.SetText(CKA_LABEL, key.label);
  attributes.Set(CKA_ID, key.id);
  attributes.SetBool(CKA_TOKEN, true);
  attributes.SetBool(CKA_PRIVATE, false);
  attributes.SetBool(CKA_MODIFIABLE, true);  // Its label and id.
  attributes.SetBool(CKA_COPYABLE, false);
  attributes.SetBool(CKA_DESTROYABLE, true);
  const bool is_local = WasMadeThere(key);
  attributes.SetBool(CKA_LOCAL, is_local);
  attributes.SetNumber(CKA_KEY_GEN_MECHANISM, is_local
                                                  ? GeneratorOf(key.spec->type)
                                                  : CK_UNAVAILABLE_INFORMATION);
  attributes.Set(CKA_START_DATE, {});
  attributes.Set(CKA_END_DATE, {});
  AddMechanisms(object);
  attributes.SetText(CKA_KMS_KEY_ARN, key.arn);
  attributes.SetText(CKA_KMS_KEY_SPEC, key.spec->name);
  attributes.SetText(CKA_KMS_KEY_USAGE, UsageName(key.usage));
  attributes.SetText(CKA_KMS_KEY_STATE, key.state);
  attributes.SetText(CKA_KMS_ORIGIN, key.origin);
  attributes.SetBool(CKA_KMS_MULTI_REGION, key.multi_region);
}

// What makes private and secret keys safe to leave in the KMS's token.
void AddSecrecy(Object& object) {
  AttributeSet& attributes = object.attributes;
  const bool born_there = WasMadeThere(*object.key);
  attributes.SetBool(CKA_SENSITIVE, true);
  attributes.SetBool(CKA_EXTRACTABLE, false);
  attributes.SetBool(CKA_ALWAYS_SENSITIVE, born_there);
  attributes.SetBool(CKA_NEVER_EXTRACTABLE, born_there);
  attributes.SetBool(CKA_WRAP_WITH_TRUSTED, false);
}

Object NewObject(const std::shared_ptr<const Key>& key,
                 CK_OBJECT_CLASS object_class) {
  Object object;
  object.object_class = object_class;
  object.unique_id = UniqueId(key->arn, object_class);
  object.key = key;
  AddCommon(object);
  return object;
}

Object PrivateKey(const std::shared_ptr<const Key>& key) {
  Object object = NewObject(key, CKO_PRIVATE_KEY);
  AddSecrecy(object);
  AddPublicParts(object);
  AddUses(object);
  object.attributes.SetBool(CKA_ALWAYS_AUTHENTICATE, false);
  AddSecretParts(object);
  return object;
}

Object PublicKey(const std::shared_ptr<const Key>& key) {
  Object object = NewObject(key, CKO_PUBLIC_KEY);
  AddPublicParts(object);
  AddUses(object);
  object.attributes.SetBool(CKA_TRUSTED, false);
  if (key->spec->type == CKK_RSA) {
    object.attributes.SetNumber(CKA_MODULUS_BITS, key->spec->bits);
  }
  return object;
}

Object SecretKey(const std::shared_ptr<const Key>& key) {
  Object object = NewObject(key, CKO_SECRET_KEY);
  AddSecrecy(object);
  AddUses(object);
  object.attributes.SetBool(CKA_TRUSTED, false);
  object.attributes.SetNumber(CKA_VALUE_LEN, key->spec->bits / 8);
  object.attributes.SetSensitive(CKA_VALUE);
  return object;
}

}  // namespace

bool HasUse(CK_ATTRIBUTE_TYPE type, CK_OBJECT_CLASS object_class, Usage usage) {
  for (const UseRow& row : kUses) {
    if (row.type == type && row.object_class == object_class &&
        row.usage == usage) {
      return true;
    }
  }
  return false;
}

std::span<const CK_ATTRIBUTE_TYPE> UsesOf(CK_OBJECT_CLASS object_class) {
  switch (object_class) {
    case CKO_PRIVATE_KEY:
      return kPrivateUses;
    case CKO_PUBLIC_KEY:
      return kPublicUses;
    case CKO_SECRET_KEY:
      return kSecretUses;
    default:
      return {};
  }
}

// On private keys too: callers look for them there.
void AddPublicParts(Object& object) {
  AttributeSet& attributes = object.attributes;
  const Key& key = *object.key;
  attributes.Set(CKA_PUBLIC_KEY_INFO, key.spki);
  attributes.Set(CKA_SUBJECT, {});
  if (key.spec->curve == nullptr) {
    attributes.Set(CKA_MODULUS, key.modulus);
    attributes.Set(CKA_PUBLIC_EXPONENT, key.exponent);
    return;
  }
  // A constant of ours: it decodes.
  attributes.Set(CKA_EC_PARAMS, *base::HexDecode(key.spec->curve->ec_params));
  attributes.Set(CKA_EC_POINT, key.point);
}

void AddSecretParts(Object& object) {
  if (object.key->spec->curve != nullptr) {
    object.attributes.SetSensitive(CKA_VALUE);
    return;
  }
  for (const CK_ATTRIBUTE_TYPE type : kRsaSecrets) {
    object.attributes.SetSensitive(type);
  }
}

std::string UniqueId(const std::string& arn, CK_OBJECT_CLASS object_class) {
  switch (object_class) {
    case CKO_PRIVATE_KEY:
      return arn + "#priv";
    case CKO_PUBLIC_KEY:
      return arn + "#pub";
    default:
      return arn + "#secret";
  }
}

std::vector<std::shared_ptr<const Object>> ObjectsOf(
    const std::shared_ptr<const Key>& key, const TokenOptions& options) {
  const bool is_pair = HasPublicKey(*key->spec);
  Object secret = is_pair ? PrivateKey(key) : SecretKey(key);
  secret.attributes.SetBool(CKA_PRIVATE, options.login == LoginMode::kPin);
  secret.attributes.SetBool(CKA_DESTROYABLE, options.destroy);
  std::vector<std::shared_ptr<const Object>> objects = {
      std::make_shared<Object>(std::move(secret))};
  if (is_pair) {
    objects.push_back(std::make_shared<Object>(PublicKey(key)));
  }
  return objects;
}

}  // namespace pkcs11::module
