// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/template_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "pkcs11/module/soft/attribute_forms.h"

namespace pkcs11::module {
namespace {

// Parts of a key, which who has it made cannot give.
constexpr std::array kParts = {
    CKA_VALUE,      CKA_MODULUS,     CKA_PRIVATE_EXPONENT,
    CKA_PRIME_1,    CKA_PRIME_2,     CKA_EXPONENT_1,
    CKA_EXPONENT_2, CKA_COEFFICIENT, CKA_EC_POINT,
};

// What says which key of a type is to be made, by the types that it is for.
struct ChoiceRow {
  CK_ATTRIBUTE_TYPE type;
  std::array<CK_KEY_TYPE, 2> key_types;
};
constexpr std::array kChoices = {
    ChoiceRow{CKA_MODULUS_BITS, {CKK_RSA, CKK_RSA}},
    ChoiceRow{CKA_PUBLIC_EXPONENT, {CKK_RSA, CKK_RSA}},
    ChoiceRow{CKA_EC_PARAMS, {CKK_EC, CKK_EC_EDWARDS}},
    ChoiceRow{CKA_VALUE_LEN, {CKK_AES, CKK_GENERIC_SECRET}},
};

// There are several ways to write them, of which the object has one.
constexpr std::array kWrittenOtherwise = {CKA_EC_PARAMS, CKA_PUBLIC_EXPONENT};

// The elements of CKA_ALLOWED_MECHANISMS, whose order says nothing.
std::set<base::Bytes> ElementsOf(base::ByteView list) {
  std::set<base::Bytes> elements;
  for (; list.size() >= sizeof(CK_MECHANISM_TYPE);
       list = list.subspan(sizeof(CK_MECHANISM_TYPE))) {
    const base::ByteView each = list.first(sizeof(CK_MECHANISM_TYPE));
    elements.emplace(each.begin(), each.end());
  }
  return elements;
}

bool Has(const Object& object, CK_ATTRIBUTE_TYPE type, base::ByteView wanted) {
  if (std::ranges::find(kWrittenOtherwise, type) != kWrittenOtherwise.end()) {
    return true;
  }
  const base::WipingBytes* const value = object.attributes.Find(type);
  if (value == nullptr) {
    return false;
  }
  return type == CKA_ALLOWED_MECHANISMS
             ? ElementsOf(*value) == ElementsOf(wanted)
             : std::ranges::equal(*value, wanted);
}

}  // namespace

Status CheckNewKey(CK_OBJECT_CLASS object_class, CK_KEY_TYPE type,
                   const AttributeSet& wanted) {
  RETURN_IF_FAILED(CheckForms(wanted));
  if (wanted.Number(CKA_CLASS).value_or(object_class) != object_class) {
    return Failure(CKR_TEMPLATE_INCONSISTENT);
  }
  for (const CK_ATTRIBUTE_TYPE part : kParts) {
    if (wanted.Find(part) != nullptr) {
      return Failure(
          CKR_TEMPLATE_INCONSISTENT,
          fmt::format("attribute {:#x} is a part of the key to be made", part));
    }
  }
  for (const ChoiceRow& row : kChoices) {
    if (wanted.Find(row.type) != nullptr &&
        std::ranges::find(row.key_types, type) == row.key_types.end()) {
      return Failure(
          CKR_TEMPLATE_INCONSISTENT,
          fmt::format("keys of this type have no attribute {:#x}", row.type));
    }
  }
  return {};
}

Status CheckHas(const Object& object, const AttributeSet& wanted) {
  std::string others;
  for (const auto& [type, value] : wanted.values()) {
    if (!Has(object, type, value)) {
      others += fmt::format(" {:#x}", type);
    }
  }
  if (!others.empty()) {
    return Failure(CKR_TEMPLATE_INCONSISTENT,
                   "the key is not as the template has it (strict_templates in "
                   "the configuration), in attributes" +
                       others);
  }
  return {};
}

Status CheckWishes(const NewKey& key, CK_OBJECT_CLASS object_class,
                   const AttributeSet& wanted, const TokenOptions& options) {
  Key made;
  made.spec = key.spec;
  made.usage = key.usage;
  made.state = "Enabled";
  made.origin = "AWS_KMS";
  made.label = key.label;
  made.id.assign(key.id.begin(), key.id.end());
  for (const auto& object :
       ObjectsOf(std::make_shared<const Key>(std::move(made)), options)) {
    if (object->object_class == object_class) {
      return CheckHas(*object, wanted);
    }
  }
  return {};
}

}  // namespace pkcs11::module
