// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/attributes.h"

#include <algorithm>
#include <cstring>

namespace pkcs11::module {
namespace {

// No attribute that we keep or look for is longer.
constexpr CK_ULONG kMaxValueBytes = 1U << 20;

template <typename T>
base::ByteView BytesOf(const T& value) {
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof(value)};
}

}  // namespace

void AttributeSet::Set(CK_ATTRIBUTE_TYPE type, base::ByteView value) {
  values_.insert_or_assign(type, base::WipingBytes(value.begin(), value.end()));
}

void AttributeSet::SetText(CK_ATTRIBUTE_TYPE type, std::string_view value) {
  Set(type, base::AsBytes(value));
}

void AttributeSet::SetBool(CK_ATTRIBUTE_TYPE type, bool value) {
  const CK_BBOOL flag = value ? CK_TRUE : CK_FALSE;
  Set(type, BytesOf(flag));
}

void AttributeSet::SetNumber(CK_ATTRIBUTE_TYPE type, CK_ULONG value) {
  Set(type, BytesOf(value));
}

void AttributeSet::SetSensitive(CK_ATTRIBUTE_TYPE type) {
  values_.erase(type);
  sensitive_.insert(type);
}

const base::WipingBytes* AttributeSet::Find(CK_ATTRIBUTE_TYPE type) const {
  const auto found = values_.find(type);
  return found == values_.end() ? nullptr : &found->second;
}

bool AttributeSet::IsTrue(CK_ATTRIBUTE_TYPE type) const {
  const base::WipingBytes* const value = Find(type);
  return value != nullptr && value->size() == 1 && value->front() != CK_FALSE;
}

std::optional<CK_ULONG> AttributeSet::Number(CK_ATTRIBUTE_TYPE type) const {
  const base::WipingBytes* const value = Find(type);
  CK_ULONG number = 0;
  if (value == nullptr || value->size() != sizeof(number)) {
    return std::nullopt;
  }
  std::memcpy(&number, value->data(), sizeof(number));
  return number;
}

CK_RV AttributeSet::Answer(CK_ATTRIBUTE& row) const {
  const base::WipingBytes* const value = Find(row.type);
  if (value == nullptr) {
    row.ulValueLen = CK_UNAVAILABLE_INFORMATION;
    return sensitive_.contains(row.type) ? CKR_ATTRIBUTE_SENSITIVE
                                         : CKR_ATTRIBUTE_TYPE_INVALID;
  }
  if (row.pValue == nullptr) {
    row.ulValueLen = value->size();
    return CKR_OK;
  }
  if (row.ulValueLen < value->size()) {
    row.ulValueLen = CK_UNAVAILABLE_INFORMATION;
    return CKR_BUFFER_TOO_SMALL;
  }
  std::ranges::copy(*value, static_cast<std::uint8_t*>(row.pValue));
  row.ulValueLen = value->size();
  return CKR_OK;
}

bool AttributeSet::Matches(const AttributeSet& wanted) const {
  return std::ranges::all_of(wanted.values_, [this](const auto& row) {
    const base::WipingBytes* const value = Find(row.first);
    return value != nullptr && *value == row.second;
  });
}

std::optional<AttributeSet> ReadTemplate(const CK_ATTRIBUTE* rows,
                                         CK_ULONG count) {
  AttributeSet set;
  for (const CK_ATTRIBUTE& row : std::span(rows, count)) {
    const auto* const value = static_cast<const std::uint8_t*>(row.pValue);
    if ((value == nullptr && row.ulValueLen != 0) ||
        row.ulValueLen > kMaxValueBytes || set.Find(row.type) != nullptr) {
      return std::nullopt;
    }
    set.Set(row.type, {value, row.ulValueLen});
  }
  return set;
}

}  // namespace pkcs11::module
