// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_SOFT_ATTRIBUTE_FORMS_H_
#define PKCS11_MODULE_SOFT_ATTRIBUTE_FORMS_H_

#include "pkcs11/module/answer.h"
#include "pkcs11/module/attributes.h"

namespace pkcs11::module {

// Fails with CKR_ATTRIBUTE_VALUE_INVALID if a value in a template, of whatever
// object, has another length than any of its attribute, or is another flag than
// true or false. By the table of attributes of session_attributes.cc.
Status CheckForms(const AttributeSet& wanted);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_SOFT_ATTRIBUTE_FORMS_H_
