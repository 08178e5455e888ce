// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_SOFT_SESSION_ATTRIBUTES_H_
#define PKCS11_MODULE_SOFT_SESSION_ATTRIBUTES_H_

#include "pkcs11/module/answer.h"
#include "pkcs11/module/attributes.h"
#include "pkcs11/module/object.h"

// What templates may say about objects of sessions: one table of attributes.
namespace pkcs11::module {

// How a session came to a key.
struct KeyOrigin {
  CK_MECHANISM_TYPE mechanism = CK_UNAVAILABLE_INFORMATION;
  bool local = false;  // Generated here, and never elsewhere.
  // Whether the secret could not be seen before, as far as we know.
  bool was_sensitive = false;
  bool was_unextractable = false;
};

// Whether a template for a new object of the class makes sense by itself. Fails
// with
//   CKR_ATTRIBUTE_TYPE_INVALID   such objects have no such attribute;
//   CKR_ATTRIBUTE_VALUE_INVALID  nor such a value;
//   CKR_ATTRIBUTE_READ_ONLY      the caller does not decide about it;
//   CKR_ACTION_PROHIBITED        the object is to stay on the token.
Status CheckNewObject(CK_OBJECT_CLASS object_class, const AttributeSet& wanted);

// Whether `wanted` may be set on an object that exists, or on a copy of it.
// Nothing gets less safe by it: what is sensitive stays so, what may not be
// extracted, copied or used for something never may be again. Fails as above.
enum class ChangeOf : std::uint8_t { kObject, kCopy };
Status CheckChange(const Object& object, const AttributeSet& wanted,
                   ChangeOf change);

// Puts `wanted`, which was checked, into the attributes of `object`.
void ApplyChange(const AttributeSet& wanted, Object& object);

// The attributes that all objects of sessions have; a template may say other
// than what they are by default. The class is the object's.
void AddStorageAttributes(const AttributeSet& wanted, Object& object);

// Those that all keys have. A template that says nothing of a use gets those
// that the type can have; one that asks for another does not get it.
void AddKeyAttributes(CK_KEY_TYPE type, const KeyOrigin& origin,
                      const AttributeSet& wanted, Object& object);

// Those of private and secret keys. Without a word in the template a key can be
// seen: it lives in the memory of who asks for it.
void AddSecrecyAttributes(const KeyOrigin& origin, const AttributeSet& wanted,
                          Object& object);

// Makes the value of a secret key readable, or not, as its attributes say.
void ShowOrHideSecret(Object& object);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_SOFT_SESSION_ATTRIBUTES_H_
