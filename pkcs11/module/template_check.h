// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_TEMPLATE_CHECK_H_
#define PKCS11_MODULE_TEMPLATE_CHECK_H_

#include "pkcs11/module/answer.h"
#include "pkcs11/module/key_template.h"
#include "pkcs11/module/object.h"

// Whether keys can be as the templates of C_GenerateKey and C_GenerateKeyPair
// have them.
namespace pkcs11::module {

// Whether a template fits a new object of the class, of a key that a mechanism
// for the type makes. CKA_KEY_TYPE is for others to judge. Fails with
//   CKR_ATTRIBUTE_VALUE_INVALID  a value that is none of its attribute;
//   CKR_TEMPLATE_INCONSISTENT    another class, something of other types of
//                                keys, or a part of the key itself.
Status CheckNewKey(CK_OBJECT_CLASS object_class, CK_KEY_TYPE type,
                   const AttributeSet& wanted);

// Fails with CKR_TEMPLATE_INCONSISTENT if `object` is not as its template has
// it. What has chosen the key's spec is not looked at again.
Status CheckHas(const Object& object, const AttributeSet& wanted);

// The same of the object of this class that `key` will have on a token with
// these options, before there is one. For callers that would rather
// have no key than another one (TokenOptions::strict_templates).
Status CheckWishes(const NewKey& key, CK_OBJECT_CLASS object_class,
                   const AttributeSet& wanted, const TokenOptions& options);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_TEMPLATE_CHECK_H_
