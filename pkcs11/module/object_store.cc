// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/object_store.h"

#include <algorithm>
#include <string_view>

#include "pkcs11/module/certificate_object.h"

namespace pkcs11::module {
// FNV-1a. Handles are no secrets and nobody chooses ARNs, so it only has to
// spread; it needs no OpenSSL.
CK_OBJECT_HANDLE HandleOf(std::string_view unique_id) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : unique_id) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  }
  // Positive where a caller takes it for a signed number (Java), and without
  // the bit of session objects.
  return std::max<std::uint64_t>(hash >> 2U, 1);
}

ObjectStore::ObjectStore(const std::vector<std::shared_ptr<const Key>>& keys,
                         const TokenOptions& options,
                         const std::vector<HeldCertificate>& certificates)
    : keys_(keys) {
  // In the order of ARNs, so that even two objects whose handles are the same
  // number get the same handles again.
  std::ranges::sort(keys_, {}, [](const auto& key) { return key->arn; });
  for (const std::shared_ptr<const Key>& key : keys_) {
    for (const auto& object : ObjectsOf(key, options)) {
      Add(object);
    }
  }
  for (const auto& object : CertificateObjects(keys_, certificates)) {
    Add(object);
  }
}

void ObjectStore::Add(const std::shared_ptr<const Object>& object) {
  CK_OBJECT_HANDLE handle = HandleOf(object->unique_id);
  while (!objects_.emplace(handle, object).second) {
    ++handle;
  }
  order_.push_back(handle);
}

std::shared_ptr<const Object> ObjectStore::Find(CK_OBJECT_HANDLE handle) const {
  const auto found = objects_.find(handle);
  return found == objects_.end() ? nullptr : found->second;
}

std::vector<CK_OBJECT_HANDLE> ObjectStore::Search(
    const AttributeSet& wanted) const {
  std::vector<CK_OBJECT_HANDLE> found;
  for (const CK_OBJECT_HANDLE handle : order_) {
    if (objects_.at(handle)->attributes.Matches(wanted)) {
      found.push_back(handle);
    }
  }
  return found;
}

}  // namespace pkcs11::module
