// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_OBJECT_STORE_H_
#define PKCS11_MODULE_OBJECT_STORE_H_

#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "pkcs11/module/object.h"

namespace pkcs11::module {

// The handle of the token's object with this CKA_UNIQUE_ID, unless another one
// has the same number, which of 2^61 does not happen.
CK_OBJECT_HANDLE HandleOf(std::string_view unique_id);

// An ObjectStore is what a token held at one moment. It does not change: a
// newer one takes its place. Safe to read from any thread.
//
// A handle is made of its object's CKA_UNIQUE_ID. So it is the same in the
// next store, after C_Finalize and in every process, and callers that keep one
// for ever (web servers do) need not notice that anything was restarted.
class ObjectStore {
 public:
  ObjectStore() = default;
  // `certificates` are those that the keys do not have with them.
  explicit ObjectStore(const std::vector<std::shared_ptr<const Key>>& keys,
                       const TokenOptions& options = {},
                       const std::vector<HeldCertificate>& certificates = {});

  // Null if there is none.
  std::shared_ptr<const Object> Find(CK_OBJECT_HANDLE handle) const;

  // The handles of the objects that have all attributes of `wanted`, in the
  // order of ARNs, a private key before its public key, and certificates last.
  std::vector<CK_OBJECT_HANDLE> Search(const AttributeSet& wanted) const;

  const std::vector<std::shared_ptr<const Key>>& keys() const { return keys_; }

 private:
  void Add(const std::shared_ptr<const Object>& object);

  std::vector<std::shared_ptr<const Key>> keys_;
  std::map<CK_OBJECT_HANDLE, std::shared_ptr<const Object>> objects_;
  std::vector<CK_OBJECT_HANDLE> order_;
};

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_OBJECT_STORE_H_
