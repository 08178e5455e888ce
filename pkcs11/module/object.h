// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_OBJECT_H_
#define PKCS11_MODULE_OBJECT_H_

#include <memory>
#include <string>
#include <vector>

#include "pkcs11/module/attributes.h"
#include "pkcs11/module/certificate.h"
#include "pkcs11/module/key.h"
#include "pkcs11/module/token_options.h"

namespace pkcs11::module {

// An Object is what a caller sees of a key: its private, public or secret key,
// or a certificate. Objects of sessions may be something else, such as data. It
// does not change once it is made. Safe to read from any thread.
struct Object {
  CK_OBJECT_CLASS object_class = 0;
  bool of_session = false;  // session_objects.h
  std::string unique_id;    // CKA_UNIQUE_ID; a token's handle is made of it.
  AttributeSet attributes;
  // Null: it is none, or has a `secret`. Of a certificate: the pair whose
  // public key it is for.
  std::shared_ptr<const Key> key;
  HeldCertificate certificate;  // Null: it is none.
  // Of the secret keys of sessions only.
  std::shared_ptr<const base::WipingBytes> secret;
};

// The attributes that say what keys of a class may be used for.
std::span<const CK_ATTRIBUTE_TYPE> UsesOf(CK_OBJECT_CLASS object_class);

// Whether an object of this class and of a key with this usage has the use.
bool HasUse(CK_ATTRIBUTE_TYPE use, CK_OBJECT_CLASS object_class, Usage usage);

// Adds what is public of the object's key, which must be a pair.
void AddPublicParts(Object& object);

// Adds what is secret of the object's key, for nobody to see.
void AddSecretParts(Object& object);

// CKA_UNIQUE_ID of an object of the KMS's key with this ARN.
std::string UniqueId(const std::string& arn, CK_OBJECT_CLASS object_class);

// The objects of `key`: a private and a public key, or a secret key. Where one
// must log in, private and secret keys are CKA_PRIVATE; where keys are kept,
// they are not CKA_DESTROYABLE, as public keys, of which nothing is destroyed,
// always are.
std::vector<std::shared_ptr<const Object>> ObjectsOf(
    const std::shared_ptr<const Key>& key, const TokenOptions& options = {});

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_OBJECT_H_
