// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/soft/session_attributes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "pkcs11/algorithms.h"
#include "pkcs11/module/key_use.h"
#include "pkcs11/module/soft/attribute_forms.h"

namespace pkcs11::module {
namespace {

enum class Form : std::uint8_t {
  kFlag,
  kNumber,
  kBytes,
  kDate,        // CK_DATE, or nothing.
  kMechanisms,  // CK_MECHANISM_TYPE, any number of them.
};

// What a caller may do with an attribute.
enum class May : std::uint8_t {
  kNothing,   // It is ours.
  kGive,      // In the template of a new object.
  kGiveCopy,  // And in that of a copy.
  kSet,       // And later.
  kSetTrue,   // Later from false to true only.
  kSetFalse,  // Likewise.
};

// Classes of objects, as bits.
constexpr unsigned kData = 1;
constexpr unsigned kPublic = 2;
constexpr unsigned kPrivate = 4;
constexpr unsigned kSecret = 8;
constexpr unsigned kSecrets = kPrivate | kSecret;
constexpr unsigned kKeys = kPublic | kSecrets;
// Most of what a certificate says is in it, and not for templates to say.
constexpr unsigned kCertificate = 16;
constexpr unsigned kAll = kData | kKeys | kCertificate;

struct AttributeRow {
  CK_ATTRIBUTE_TYPE type;
  Form form;
  unsigned classes;
  May may;
};

// CKA_WRAP_TEMPLATE and its sisters are not here: what is ignored would not
// protect.
constexpr std::array kAttributes = {
    // clang-format off
    AttributeRow{CKA_CLASS, Form::kNumber, kAll, May::kGive},
    AttributeRow{CKA_TOKEN, Form::kFlag, kAll, May::kGiveCopy},
    AttributeRow{CKA_PRIVATE, Form::kFlag, kAll, May::kGive},
    AttributeRow{CKA_LABEL, Form::kBytes, kAll, May::kSet},
    AttributeRow{CKA_UNIQUE_ID, Form::kBytes, kAll, May::kNothing},
    AttributeRow{CKA_APPLICATION, Form::kBytes, kData, May::kSet},
    AttributeRow{CKA_VALUE, Form::kBytes, kData, May::kSet},
    AttributeRow{CKA_VALUE, Form::kBytes, kSecret, May::kGive},
    AttributeRow{CKA_OBJECT_ID, Form::kBytes, kData, May::kSet},
    AttributeRow{CKA_TRUSTED, Form::kFlag, kPublic | kSecret, May::kNothing},
    AttributeRow{CKA_KEY_TYPE, Form::kNumber, kKeys, May::kGive},
    AttributeRow{CKA_SUBJECT, Form::kBytes, kPublic | kPrivate, May::kSet},
    AttributeRow{CKA_ID, Form::kBytes, kKeys | kCertificate, May::kSet},
    AttributeRow{CKA_SENSITIVE, Form::kFlag, kSecrets, May::kSetTrue},
    AttributeRow{CKA_ENCRYPT, Form::kFlag, kKeys, May::kSetFalse},
    AttributeRow{CKA_DECRYPT, Form::kFlag, kKeys, May::kSetFalse},
    AttributeRow{CKA_WRAP, Form::kFlag, kKeys, May::kSetFalse},
    AttributeRow{CKA_UNWRAP, Form::kFlag, kKeys, May::kSetFalse},
    AttributeRow{CKA_SIGN, Form::kFlag, kKeys, May::kSetFalse},
    AttributeRow{CKA_SIGN_RECOVER, Form::kFlag, kKeys, May::kSetFalse},
    AttributeRow{CKA_VERIFY, Form::kFlag, kKeys, May::kSetFalse},
    AttributeRow{CKA_VERIFY_RECOVER, Form::kFlag, kKeys, May::kSetFalse},
    AttributeRow{CKA_DERIVE, Form::kFlag, kKeys, May::kSetFalse},
    AttributeRow{CKA_START_DATE, Form::kDate, kKeys, May::kSet},
    AttributeRow{CKA_END_DATE, Form::kDate, kKeys, May::kSet},
    AttributeRow{CKA_MODULUS, Form::kBytes, kPublic, May::kGive},
    AttributeRow{CKA_MODULUS_BITS, Form::kNumber, kPublic, May::kGive},
    AttributeRow{CKA_PUBLIC_EXPONENT, Form::kBytes, kPublic, May::kGive},
    AttributeRow{CKA_PUBLIC_KEY_INFO, Form::kBytes, kPublic | kPrivate, May::kNothing},
    AttributeRow{CKA_VALUE_LEN, Form::kNumber, kSecret, May::kGive},
    AttributeRow{CKA_EXTRACTABLE, Form::kFlag, kSecrets, May::kSetFalse},
    AttributeRow{CKA_LOCAL, Form::kFlag, kKeys, May::kNothing},
    AttributeRow{CKA_NEVER_EXTRACTABLE, Form::kFlag, kSecrets, May::kNothing},
    AttributeRow{CKA_ALWAYS_SENSITIVE, Form::kFlag, kSecrets, May::kNothing},
    AttributeRow{CKA_KEY_GEN_MECHANISM, Form::kNumber, kKeys, May::kNothing},
    AttributeRow{CKA_MODIFIABLE, Form::kFlag, kAll, May::kGiveCopy},
    AttributeRow{CKA_COPYABLE, Form::kFlag, kAll, May::kSetFalse},
    AttributeRow{CKA_DESTROYABLE, Form::kFlag, kAll, May::kGiveCopy},
    AttributeRow{CKA_EC_PARAMS, Form::kBytes, kPublic, May::kGive},
    AttributeRow{CKA_EC_POINT, Form::kBytes, kPublic, May::kGive},
    AttributeRow{CKA_ALWAYS_AUTHENTICATE, Form::kFlag, kPrivate, May::kNothing},
    AttributeRow{CKA_WRAP_WITH_TRUSTED, Form::kFlag, kSecrets, May::kSetTrue},
    AttributeRow{CKA_ALLOWED_MECHANISMS, Form::kMechanisms, kKeys, May::kGive},
    AttributeRow{CKA_KMS_CIPHERTEXT_BLOB, Form::kBytes, kSecret, May::kNothing},
    // clang-format on
};

unsigned ClassBit(CK_OBJECT_CLASS object_class) {
  switch (object_class) {
    case CKO_CERTIFICATE:
      return kCertificate;
    case CKO_DATA:
      return kData;
    case CKO_PUBLIC_KEY:
      return kPublic;
    case CKO_PRIVATE_KEY:
      return kPrivate;
    case CKO_SECRET_KEY:
      return kSecret;
    default:
      return 0;
  }
}

const AttributeRow* FindRow(CK_OBJECT_CLASS object_class,
                            CK_ATTRIBUTE_TYPE type) {
  const auto* const row =
      std::ranges::find_if(kAttributes, [&](const AttributeRow& each) {
        return each.type == type &&
               (each.classes & ClassBit(object_class)) != 0;
      });
  return row == kAttributes.end() ? nullptr : row;
}

bool HasForm(Form form, base::ByteView value) {
  switch (form) {
    case Form::kFlag:
      return value.size() == sizeof(CK_BBOOL) && value.front() <= CK_TRUE;
    case Form::kNumber:
      return value.size() == sizeof(CK_ULONG);
    case Form::kDate:
      return value.empty() || value.size() == sizeof(CK_DATE);
    case Form::kMechanisms:
      return value.size() % sizeof(CK_MECHANISM_TYPE) == 0;
    case Form::kBytes:
      return true;
  }
  return false;
}

// The row of an attribute that has a value of its form.
Answer<const AttributeRow*> CheckedRow(CK_OBJECT_CLASS object_class,
                                       CK_ATTRIBUTE_TYPE type,
                                       base::ByteView value) {
  const AttributeRow* const row = FindRow(object_class, type);
  if (row == nullptr) {
    return Failure(CKR_ATTRIBUTE_TYPE_INVALID);
  }
  if (!HasForm(row->form, value)) {
    return Failure(CKR_ATTRIBUTE_VALUE_INVALID);
  }
  return row;
}

// Callers who copy a template from one key to the next repeat what is so
// anyway: a flag that nobody may set is harmless when it is false.
bool IsHarmless(const AttributeRow& row, base::ByteView value) {
  return row.may != May::kNothing ||
         (row.form == Form::kFlag && value.front() == CK_FALSE);
}

Status StaysInSession(const AttributeSet& wanted) {
  if (wanted.IsTrue(CKA_TOKEN)) {
    return Failure(CKR_ACTION_PROHIBITED,
                   "nothing of a session is put on the token: its keys are "
                   "made there, with CKA_TOKEN when they are generated");
  }
  return {};
}

bool MayChange(const AttributeRow& row, const Object& object,
               base::ByteView value, ChangeOf change) {
  const base::WipingBytes* const now = object.attributes.Find(row.type);
  if (now != nullptr && std::ranges::equal(*now, value)) {
    return true;
  }
  switch (row.may) {
    case May::kNothing:
    case May::kGive:
      return false;
    case May::kGiveCopy:
      return change == ChangeOf::kCopy;
    case May::kSet:
      return true;
    case May::kSetTrue:
      return value.front() == CK_TRUE;
    case May::kSetFalse:
      return value.front() == CK_FALSE;
  }
  return false;
}

// What a type of key can be used for, as an object of a class.
struct UseRow {
  CK_OBJECT_CLASS object_class;
  CK_KEY_TYPE type;  // CKK_GENERIC_SECRET: all types that are not here.
  std::array<CK_ATTRIBUTE_TYPE, 4> uses;
};
constexpr CK_ATTRIBUTE_TYPE kNone = CK_UNAVAILABLE_INFORMATION;
constexpr std::array kUses = {
    UseRow{
        CKO_PRIVATE_KEY, CKK_RSA, {CKA_SIGN, CKA_DECRYPT, CKA_UNWRAP, kNone}},
    UseRow{CKO_PRIVATE_KEY, CKK_EC, {CKA_SIGN, CKA_DERIVE, kNone, kNone}},
    UseRow{CKO_PRIVATE_KEY, CKK_EC_EDWARDS, {CKA_SIGN, kNone, kNone, kNone}},
    UseRow{CKO_PUBLIC_KEY, CKK_RSA, {CKA_VERIFY, CKA_ENCRYPT, CKA_WRAP, kNone}},
    UseRow{CKO_PUBLIC_KEY, CKK_EC, {CKA_VERIFY, CKA_DERIVE, kNone, kNone}},
    UseRow{CKO_PUBLIC_KEY, CKK_EC_EDWARDS, {CKA_VERIFY, kNone, kNone, kNone}},
    UseRow{CKO_SECRET_KEY,
           CKK_AES,
           {CKA_ENCRYPT, CKA_DECRYPT, CKA_WRAP, CKA_UNWRAP}},
    UseRow{CKO_SECRET_KEY,
           CKK_GENERIC_SECRET,
           {CKA_SIGN, CKA_VERIFY, kNone, kNone}},
};

bool CanBeUsed(CK_OBJECT_CLASS object_class, CK_KEY_TYPE type,
               CK_ATTRIBUTE_TYPE use) {
  const UseRow* other = nullptr;
  for (const UseRow& row : kUses) {
    if (row.object_class != object_class) {
      continue;
    }
    if (row.type == type) {
      return std::ranges::find(row.uses, use) != row.uses.end();
    }
    other = row.type == CKK_GENERIC_SECRET ? &row : other;
  }
  return other != nullptr &&
         std::ranges::find(other->uses, use) != other->uses.end();
}

void AddMechanisms(CK_KEY_TYPE type, const AttributeSet& wanted,
                   AttributeSet& attributes) {
  const base::WipingBytes* const allowed = wanted.Find(CKA_ALLOWED_MECHANISMS);
  std::vector<CK_MECHANISM_TYPE> types;
  for (const Mechanism& mechanism : Mechanisms()) {
    if (FitsSessionKey(mechanism, type) &&
        (allowed == nullptr || Lists(*allowed, mechanism.type))) {
      types.push_back(mechanism.type);
    }
  }
  attributes.Set(CKA_ALLOWED_MECHANISMS,
                 {reinterpret_cast<const std::uint8_t*>(types.data()),
                  types.size() * sizeof(CK_MECHANISM_TYPE)});
}

void SetFlag(const AttributeSet& wanted, CK_ATTRIBUTE_TYPE type,
             bool by_default, AttributeSet& attributes) {
  attributes.SetBool(
      type, wanted.Find(type) == nullptr ? by_default : wanted.IsTrue(type));
}

void SetBytes(const AttributeSet& wanted, CK_ATTRIBUTE_TYPE type,
              AttributeSet& attributes) {
  const base::WipingBytes* const value = wanted.Find(type);
  attributes.Set(type, value == nullptr ? base::ByteView() : *value);
}

}  // namespace

Status CheckForms(const AttributeSet& wanted) {
  for (const auto& [type, value] : wanted.values()) {
    const auto* const row =
        std::ranges::find(kAttributes, type, &AttributeRow::type);
    if (row != kAttributes.end() && !HasForm(row->form, value)) {
      return Failure(CKR_ATTRIBUTE_VALUE_INVALID,
                     fmt::format("attribute {:#x} has no such value", type));
    }
  }
  return {};
}

Status CheckNewObject(CK_OBJECT_CLASS object_class,
                      const AttributeSet& wanted) {
  for (const auto& [type, value] : wanted.values()) {
    ASSIGN_OR_FAIL(const AttributeRow* row,
                   CheckedRow(object_class, type, value));
    if (!IsHarmless(*row, value)) {
      return Failure(CKR_ATTRIBUTE_READ_ONLY);
    }
  }
  return StaysInSession(wanted);
}

Status CheckChange(const Object& object, const AttributeSet& wanted,
                   ChangeOf change) {
  for (const auto& [type, value] : wanted.values()) {
    ASSIGN_OR_FAIL(const AttributeRow* row,
                   CheckedRow(object.object_class, type, value));
    if (!MayChange(*row, object, value, change) && type != CKA_TOKEN) {
      return Failure(CKR_ATTRIBUTE_READ_ONLY);
    }
  }
  return StaysInSession(wanted);
}

void ApplyChange(const AttributeSet& wanted, Object& object) {
  for (const auto& [type, value] : wanted.values()) {
    object.attributes.Set(type, value);
  }
  ShowOrHideSecret(object);
}

void AddStorageAttributes(const AttributeSet& wanted, Object& object) {
  AttributeSet& attributes = object.attributes;
  attributes.SetNumber(CKA_CLASS, object.object_class);
  attributes.SetBool(CKA_TOKEN, false);
  SetFlag(wanted, CKA_PRIVATE, false, attributes);
  SetFlag(wanted, CKA_MODIFIABLE, true, attributes);
  SetFlag(wanted, CKA_COPYABLE, true, attributes);
  SetFlag(wanted, CKA_DESTROYABLE, true, attributes);
  SetBytes(wanted, CKA_LABEL, attributes);
}

void AddKeyAttributes(CK_KEY_TYPE type, const KeyOrigin& origin,
                      const AttributeSet& wanted, Object& object) {
  AttributeSet& attributes = object.attributes;
  attributes.SetNumber(CKA_KEY_TYPE, type);
  SetBytes(wanted, CKA_ID, attributes);
  SetBytes(wanted, CKA_START_DATE, attributes);
  SetBytes(wanted, CKA_END_DATE, attributes);
  attributes.SetBool(CKA_LOCAL, origin.local);
  attributes.SetNumber(CKA_KEY_GEN_MECHANISM, origin.local
                                                  ? origin.mechanism
                                                  : CK_UNAVAILABLE_INFORMATION);
  for (const CK_ATTRIBUTE_TYPE use : UsesOf(object.object_class)) {
    const bool asked = wanted.Find(use) == nullptr || wanted.IsTrue(use);
    attributes.SetBool(use, asked && CanBeUsed(object.object_class, type, use));
  }
  AddMechanisms(type, wanted, attributes);
}

void AddSecrecyAttributes(const KeyOrigin& origin, const AttributeSet& wanted,
                          Object& object) {
  AttributeSet& attributes = object.attributes;
  SetFlag(wanted, CKA_SENSITIVE, false, attributes);
  SetFlag(wanted, CKA_EXTRACTABLE, true, attributes);
  SetFlag(wanted, CKA_WRAP_WITH_TRUSTED, false, attributes);
  attributes.SetBool(CKA_ALWAYS_SENSITIVE,
                     origin.was_sensitive && attributes.IsTrue(CKA_SENSITIVE));
  attributes.SetBool(
      CKA_NEVER_EXTRACTABLE,
      origin.was_unextractable && !attributes.IsTrue(CKA_EXTRACTABLE));
}

void ShowOrHideSecret(Object& object) {
  if (object.secret == nullptr) {
    return;
  }
  if (object.attributes.IsTrue(CKA_SENSITIVE) ||
      !object.attributes.IsTrue(CKA_EXTRACTABLE)) {
    object.attributes.SetSensitive(CKA_VALUE);
  } else {
    object.attributes.Set(CKA_VALUE, *object.secret);
  }
}

}  // namespace pkcs11::module
