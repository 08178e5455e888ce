// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/template.h"

#include <utility>

namespace hsm::token {

Template& Template::Put(CK_ATTRIBUTE_TYPE type, const void* value,
                        std::size_t size) {
  Remove(type);
  const auto* bytes = static_cast<const std::uint8_t*>(value);
  auto& stored = values_.emplace_back(bytes, bytes + size);
  attributes_.push_back({type, Unconst(stored), size});
  return *this;
}

Template& Template::Set(CK_ATTRIBUTE_TYPE type, bool value) {
  const CK_BBOOL ck = value ? CK_TRUE : CK_FALSE;
  return Put(type, &ck, sizeof(ck));
}

Template& Template::Set(CK_ATTRIBUTE_TYPE type, CK_ULONG value) {
  return Put(type, &value, sizeof(value));
}

Template& Template::Set(CK_ATTRIBUTE_TYPE type, base::ByteView value) {
  return Put(type, value.data(), value.size());
}

Template& Template::Set(CK_ATTRIBUTE_TYPE type, Template nested) {
  Remove(type);
  Template& stored = nested_.emplace_back(std::move(nested));
  attributes_.push_back(
      {type, stored.data(), stored.size() * sizeof(CK_ATTRIBUTE)});
  return *this;
}

Template& Template::SetMechanisms(std::vector<CK_MECHANISM_TYPE> mechanisms) {
  return Put(CKA_ALLOWED_MECHANISMS, mechanisms.data(),
             mechanisms.size() * sizeof(CK_MECHANISM_TYPE));
}

Template& Template::Remove(CK_ATTRIBUTE_TYPE type) {
  std::erase_if(attributes_, [type](const CK_ATTRIBUTE& attribute) {
    return attribute.type == type;
  });
  return *this;
}

}  // namespace hsm::token
