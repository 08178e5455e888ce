// SPDX-License-Identifier: Apache-2.0
// PKCS#11 2.40 section 5.7: objects that callers bring, and copies.
#include <algorithm>
#include <array>
#include <utility>

#include "pkcs11/module/certificate_changes.h"
#include "pkcs11/module/certificate_object.h"
#include "pkcs11/module/functions.h"
#include "pkcs11/module/soft/key_pair.h"
#include "pkcs11/module/soft/secret_key.h"
#include "pkcs11/module/soft/session_changes.h"

namespace pkcs11::module {
namespace {

using Handle = Answer<CK_OBJECT_HANDLE>;

Handle CreateSecretKey(Module& module, CK_SESSION_HANDLE session,
                       const AttributeSet& wanted) {
  ASSIGN_OR_FAIL(Object object, ImportSecretKey(wanted));
  return module.AddSessionObject(session, std::move(object));
}

Handle CreatePublicKey(Module& module, CK_SESSION_HANDLE session,
                       const AttributeSet& wanted) {
  ASSIGN_OR_FAIL(Object object, ImportPublicKey(wanted, module.library()));
  return module.AddSessionObject(session, std::move(object));
}

Handle CreatePrivateKey(Module&, CK_SESSION_HANDLE, const AttributeSet&) {
  return Failure(CKR_ACTION_PROHIBITED,
                 "private keys are not imported here: use the KMS's "
                 "ImportKeyMaterial");
}

Handle CreateData(Module& module, CK_SESSION_HANDLE session,
                  const AttributeSet& wanted) {
  RETURN_IF_FAILED(CheckNewObject(CKO_DATA, wanted));
  Object object;
  object.object_class = CKO_DATA;
  AddStorageAttributes(wanted, object);
  for (const CK_ATTRIBUTE_TYPE type :
       {CKA_APPLICATION, CKA_OBJECT_ID, CKA_VALUE}) {
    const base::WipingBytes* const value = wanted.Find(type);
    object.attributes.Set(type, value == nullptr ? base::ByteView() : *value);
  }
  return module.AddSessionObject(session, std::move(object));
}

// CKA_CERTIFICATE_CATEGORY, which is unspecified by default.
Answer<CK_ULONG> CategoryIn(const AttributeSet& wanted) {
  constexpr CK_ULONG kUnspecified = 0;
  constexpr CK_ULONG kLast = 3;  // "Other entity".
  if (wanted.Find(CKA_CERTIFICATE_CATEGORY) == nullptr) {
    return kUnspecified;
  }
  const std::optional<CK_ULONG> category =
      wanted.Number(CKA_CERTIFICATE_CATEGORY);
  if (!category.has_value() || *category > kLast) {
    return Failure(CKR_ATTRIBUTE_VALUE_INVALID);
  }
  return *category;
}

Handle CreateSessionCertificate(Module& module, CK_SESSION_HANDLE session,
                                const Certificate& certificate,
                                const AttributeSet& wanted) {
  ASSIGN_OR_FAIL(const CK_ULONG category, CategoryIn(wanted));
  Object object;
  object.object_class = CKO_CERTIFICATE;
  AddCertificate(certificate, object.attributes);
  object.attributes.SetNumber(CKA_CERTIFICATE_CATEGORY, category);
  AddStorageAttributes(wanted, object);
  const base::WipingBytes* const id = wanted.Find(CKA_ID);
  object.attributes.Set(
      CKA_ID, id == nullptr ? certificate.key_sha1 : base::ByteView(*id));
  object.attributes.SetBool(CKA_TRUSTED, false);
  return module.AddSessionObject(session, std::move(object));
}

Handle CreateCertificate(Module& module, CK_SESSION_HANDLE session,
                         const AttributeSet& wanted) {
  ASSIGN_OR_FAIL(const CertificatePtr certificate,
                 CertificateIn(wanted, module.library()));
  if (!wanted.IsTrue(CKA_TOKEN)) {
    return CreateSessionCertificate(module, session, *certificate, wanted);
  }
  ASSIGN_OR_FAIL(Token * token, module.WritableTokenOf(session));
  return AddTokenCertificate(*token, certificate);
}

// What can be created, by CKA_CLASS.
struct ClassRow {
  CK_OBJECT_CLASS object_class;
  Handle (*create)(Module& module, CK_SESSION_HANDLE session,
                   const AttributeSet& wanted);
};
constexpr std::array kClasses = {
    ClassRow{CKO_DATA, CreateData},
    ClassRow{CKO_CERTIFICATE, CreateCertificate},
    ClassRow{CKO_PUBLIC_KEY, CreatePublicKey},
    ClassRow{CKO_PRIVATE_KEY, CreatePrivateKey},
    ClassRow{CKO_SECRET_KEY, CreateSecretKey},
};

}  // namespace

Status CreateObject(Module& module, CK_SESSION_HANDLE session,
                    CK_ATTRIBUTE* rows, CK_ULONG count,
                    CK_OBJECT_HANDLE* handle) {
  RETURN_IF_FAILED(module.TokenOf(session));
  const std::optional<AttributeSet> wanted = ReadTemplate(rows, count);
  if (!wanted.has_value()) {
    return Failure(CKR_ARGUMENTS_BAD);
  }
  const std::optional<CK_ULONG> object_class = wanted->Number(CKA_CLASS);
  if (!object_class.has_value()) {
    return Failure(CKR_TEMPLATE_INCOMPLETE);
  }
  const auto* const row =
      std::ranges::find(kClasses, *object_class, &ClassRow::object_class);
  if (row == kClasses.end()) {
    return Failure(CKR_ATTRIBUTE_VALUE_INVALID);
  }
  ASSIGN_OR_FAIL(*handle, row->create(module, session, *wanted));
  return {};
}

Status CopyObject(Module& module, CK_SESSION_HANDLE session,
                  CK_OBJECT_HANDLE object, CK_ATTRIBUTE* rows, CK_ULONG count,
                  CK_OBJECT_HANDLE* copy) {
  ASSIGN_OR_FAIL(const auto original, module.FindObject(session, object));
  const std::optional<AttributeSet> wanted = ReadTemplate(rows, count);
  if (!wanted.has_value()) {
    return Failure(CKR_ARGUMENTS_BAD);
  }
  if (!original->of_session) {
    return Failure(CKR_ACTION_PROHIBITED);
  }
  ASSIGN_OR_FAIL(*copy, CopySessionObject(module, session, *original, *wanted));
  return {};
}

}  // namespace pkcs11::module
