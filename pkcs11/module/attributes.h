// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_ATTRIBUTES_H_
#define PKCS11_MODULE_ATTRIBUTES_H_

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/wiping.h"
#include "pkcs11/p11_v3.h"

namespace pkcs11::module {

// An AttributeSet is what an object says about itself, or what a caller asks
// for. Values are wiped, for some are keys. Not synchronised.
class AttributeSet {
 public:
  void Set(CK_ATTRIBUTE_TYPE type, base::ByteView value);
  void SetText(CK_ATTRIBUTE_TYPE type, std::string_view value);
  void SetBool(CK_ATTRIBUTE_TYPE type, bool value);
  void SetNumber(CK_ATTRIBUTE_TYPE type, CK_ULONG value);
  // The object has the attribute, but nobody is told its value.
  void SetSensitive(CK_ATTRIBUTE_TYPE type);

  // Null if there is none, or a sensitive one.
  const base::WipingBytes* Find(CK_ATTRIBUTE_TYPE type) const;
  // Whether the attribute is there and true.
  bool IsTrue(CK_ATTRIBUTE_TYPE type) const;
  // Nothing if it is not there, or no number.
  std::optional<CK_ULONG> Number(CK_ATTRIBUTE_TYPE type) const;

  // All that Find() finds.
  const std::map<CK_ATTRIBUTE_TYPE, base::WipingBytes>& values() const {
    return values_;
  }

  // Answers one row of C_GetAttributeValue by the five cases of PKCS#11 2.40,
  // "C_GetAttributeValue".
  CK_RV Answer(CK_ATTRIBUTE& row) const;

  // Whether every attribute of `wanted` is here with the same value.
  bool Matches(const AttributeSet& wanted) const;

 private:
  std::map<CK_ATTRIBUTE_TYPE, base::WipingBytes> values_;
  std::set<CK_ATTRIBUTE_TYPE> sensitive_;
};

// A caller's template, copied. Nothing if a row has a length but no value, a
// length that cannot be, or a type twice.
std::optional<AttributeSet> ReadTemplate(const CK_ATTRIBUTE* rows,
                                         CK_ULONG count);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_ATTRIBUTES_H_
