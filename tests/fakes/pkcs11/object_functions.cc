// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <span>
#include <utility>

#include "base/random.h"
#include "tests/fakes/pkcs11/faults.h"
#include "tests/fakes/pkcs11/functions.h"
#include "tests/fakes/pkcs11/state.h"

namespace fakes::pkcs11 {
namespace {

// Whether `changes` make `object` give up more than it does.
bool Loosens(const Object& object, const Attributes& changes) {
  const auto says = [&](CK_ATTRIBUTE_TYPE type, bool value) {
    const auto it = changes.find(type);
    return it != changes.end() && it->second == Flag(value);
  };
  return (object.Is(CKA_SENSITIVE) && says(CKA_SENSITIVE, false)) ||
         (!object.Is(CKA_EXTRACTABLE) && says(CKA_EXTRACTABLE, true));
}

// Whether a copy of `object` may have these `changes`.
bool MayCopy(const Object& object, const Attributes& changes) {
  if (Loosens(object, changes)) {
    return Told("theft copy");
  }
  return object.Is(CKA_COPYABLE, true) || Told("theft usage") ||
         (changes.contains(CKA_UNWRAP_TEMPLATE) &&
          Told("theft copy-template")) ||
         (changes.contains(CKA_WRAP_WITH_TRUSTED) && Told("theft copy-trust"));
}

void Apply(Object& object, const Attributes& changes) {
  for (const auto& [type, value] : changes) {
    object.attributes[type] = value;
  }
}

CK_RV ReadOne(const Object& object, CK_ATTRIBUTE& attribute) {
  const bool shut = object.Is(CKA_SENSITIVE) || !object.Is(CKA_EXTRACTABLE);
  const auto it = object.attributes.find(attribute.type);
  CK_RV rv = CKR_OK;
  const bool is_secret =
      attribute.type == CKA_VALUE || attribute.type == CKA_PRIVATE_EXPONENT;
  if (is_secret && shut && !Told("theft value")) {
    rv = CKR_ATTRIBUTE_SENSITIVE;
  } else if (it == object.attributes.end()) {
    rv = CKR_ATTRIBUTE_TYPE_INVALID;
  } else {
    return Return(it->second, static_cast<CK_BYTE*>(attribute.pValue),
                  &attribute.ulValueLen);
  }
  attribute.ulValueLen = CK_UNAVAILABLE_INFORMATION;
  return rv;
}

}  // namespace

CK_RV C_CreateObject(CK_SESSION_HANDLE session, CK_ATTRIBUTE* attributes,
                     CK_ULONG count, CK_OBJECT_HANDLE* handle) {
  if (const CK_RV rv = BeginUser("C_CreateObject", session); rv != CKR_OK) {
    return rv;
  }
  Object object{FromTemplate({attributes, count}), 0, {}};
  if (object.Is(CKA_WRAP) && Told("no-wrapping-keys")) {
    return CKR_TEMPLATE_INCONSISTENT;
  }
  return AddObject(session, std::move(object), handle);
}

CK_RV C_GenerateKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                    CK_ATTRIBUTE* attributes, CK_ULONG count,
                    CK_OBJECT_HANDLE* handle) {
  Object object{FromTemplate({attributes, count}), 0, {}};
  if ((object.Is(CKA_WRAP) && Told("no-wrapping-keys")) ||
      (object.Is(CKA_WRAP) && object.Has(CKA_PRIVATE) &&
       Told("picky-wrapping-keys"))) {
    return CKR_TEMPLATE_INCONSISTENT;
  }
  const bool half_made = Told("half-made") && object.Is(CKA_TOKEN);
  const CK_RV rv = BeginUser("C_GenerateKey", session);
  if (rv != CKR_OK && !half_made) {
    return rv;
  }
  if (mechanism->mechanism != CKM_AES_KEY_GEN) {
    return CKR_MECHANISM_INVALID;
  }
  Bytes value(32);
  base::RandomBytes(value);
  object.attributes[CKA_VALUE] = value;
  const CK_RV added = AddObject(session, std::move(object), handle);
  return rv == CKR_OK ? added : rv;
}

CK_RV C_DestroyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle) {
  if (const CK_RV rv = BeginUser("C_DestroyObject", session); rv != CKR_OK) {
    return rv;
  }
  return TheToken().objects.Remove(handle) ? CKR_OK : CKR_OBJECT_HANDLE_INVALID;
}

CK_RV C_CopyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle,
                   CK_ATTRIBUTE* attributes, CK_ULONG count,
                   CK_OBJECT_HANDLE* copy) {
  if (const CK_RV rv = BeginUser("C_CopyObject", session); rv != CKR_OK) {
    return rv;
  }
  const Object* object = TheToken().objects.Find(handle);
  if (object == nullptr) {
    return CKR_OBJECT_HANDLE_INVALID;
  }
  const Attributes changes = FromTemplate({attributes, count});
  if (!MayCopy(*object, changes)) {
    return Loosens(*object, changes) ? CKR_ATTRIBUTE_READ_ONLY
                                     : CKR_ACTION_PROHIBITED;
  }
  Object made{object->attributes, 0, {}};
  Apply(made, changes);
  return AddObject(session, std::move(made), copy);
}

CK_RV C_SetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle,
                          CK_ATTRIBUTE* attributes, CK_ULONG count) {
  if (const CK_RV rv = BeginUser("C_SetAttributeValue", session);
      rv != CKR_OK) {
    return rv;
  }
  Object* object = TheToken().objects.Find(handle);
  if (object == nullptr) {
    return CKR_OBJECT_HANDLE_INVALID;
  }
  const Attributes changes = FromTemplate({attributes, count});
  if (!Told("theft change") &&
      (!object->Is(CKA_MODIFIABLE, true) || Loosens(*object, changes))) {
    return CKR_ATTRIBUTE_READ_ONLY;
  }
  Apply(*object, changes);
  return CKR_OK;
}

CK_RV C_GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle,
                          CK_ATTRIBUTE* attributes, CK_ULONG count) {
  if (const CK_RV rv = BeginUser("C_GetAttributeValue", session);
      rv != CKR_OK) {
    return rv;
  }
  const Object* object = TheToken().objects.Find(handle);
  if (object == nullptr) {
    return CKR_OBJECT_HANDLE_INVALID;
  }
  CK_RV worst = CKR_OK;
  for (CK_ATTRIBUTE& attribute : std::span(attributes, count)) {
    const CK_RV rv = ReadOne(*object, attribute);
    worst = rv == CKR_OK ? worst : rv;
  }
  return worst;
}

CK_RV C_FindObjectsInit(CK_SESSION_HANDLE session, CK_ATTRIBUTE* attributes,
                        CK_ULONG count) {
  if (const CK_RV rv = BeginUser("C_FindObjectsInit", session); rv != CKR_OK) {
    return rv;
  }
  Token& token = TheToken();
  token.objects.Reload();
  auto found = token.objects.Matching(FromTemplate({attributes, count}));
  std::ranges::reverse(found);  // Handed out from the back.
  return std::exchange(FindSession(session)->found, std::move(found))
             ? CKR_OPERATION_ACTIVE
             : CKR_OK;
}

CK_RV C_FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE* handles,
                    CK_ULONG max, CK_ULONG* count) {
  if (const CK_RV rv = BeginUser("C_FindObjects", session); rv != CKR_OK) {
    return rv;
  }
  auto& found = FindSession(session)->found;
  if (!found) {
    return CKR_OPERATION_NOT_INITIALIZED;
  }
  for (*count = 0; *count < max && !found->empty(); ++*count) {
    handles[*count] = found->back();
    found->pop_back();
  }
  return CKR_OK;
}

CK_RV C_FindObjectsFinal(CK_SESSION_HANDLE session) {
  if (const CK_RV rv = BeginUser("C_FindObjectsFinal", session); rv != CKR_OK) {
    return rv;
  }
  FindSession(session)->found.reset();
  return CKR_OK;
}

}  // namespace fakes::pkcs11
