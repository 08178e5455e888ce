// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_FAKES_PKCS11_OBJECTS_H_
#define TESTS_FAKES_PKCS11_OBJECTS_H_

#include <p11-kit/pkcs11.h>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fakes::pkcs11 {

using Bytes = std::vector<std::uint8_t>;
using Attributes = std::map<CK_ATTRIBUTE_TYPE, Bytes>;

Attributes FromTemplate(std::span<const CK_ATTRIBUTE> attributes);
Bytes Flag(bool value);

struct Object {
  Attributes attributes;
  CK_SESSION_HANDLE owner = 0;  // Of a session object.
  std::string name;             // Of a token object, in the store.

  bool Has(CK_ATTRIBUTE_TYPE type) const { return attributes.contains(type); }
  bool Is(CK_ATTRIBUTE_TYPE type, bool by_default = false) const;
  const Bytes& value() const { return attributes.at(CKA_VALUE); }
  bool Allows(CK_MECHANISM_TYPE mechanism) const;
  bool Matches(const Attributes& pattern) const;
};

// Objects is what the fake token holds. Token objects are in the file named by
// $FAKE_PKCS11_STORE, if it is set, and shared with other processes; callers
// lock, as ours must.
class Objects {
 public:
  // Sees what others made and destroyed.
  void Reload();

  CK_OBJECT_HANDLE Add(Object object);
  Object* Find(CK_OBJECT_HANDLE handle);
  bool Remove(CK_OBJECT_HANDLE handle);
  void RemoveOwnedBy(CK_SESSION_HANDLE session);
  std::vector<CK_OBJECT_HANDLE> Matching(const Attributes& pattern) const;
  void Clear() { objects_.clear(); }
  std::size_t size() const { return objects_.size(); }

 private:
  void Store() const;

  std::map<CK_OBJECT_HANDLE, Object> objects_;
  CK_OBJECT_HANDLE next_ = 1;
};

}  // namespace fakes::pkcs11

#endif  // TESTS_FAKES_PKCS11_OBJECTS_H_
