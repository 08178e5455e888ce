// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/certificate_changes.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "pkcs11/module/certificate_files.h"
#include "pkcs11/module/certificate_object.h"
#include "pkcs11/module/key_reply.h"

namespace pkcs11::module {
namespace {

using base::ErrorCode;
using base::Json;
using Certificates = std::vector<CertificatePtr>;
using KeyPtr = std::shared_ptr<const Key>;

Failure Failed(const base::Error& error) {
  return Failure(RvOfObjectChange(error.code), error.message);
}

Json NameOf(const Key& key) { return {{"KeyId", base::WipingString(key.arn)}}; }

bool IsOwn(const Certificate& certificate, const Key& key) {
  return certificate.spki == key.spki;
}

bool Has(const Certificates& certificates, const Certificate& wanted) {
  return std::ranges::any_of(certificates, [&](const CertificatePtr& each) {
    return each->fingerprint == wanted.fingerprint;
  });
}

// Whether `authority` may have signed one of `certificates`, going by names.
bool IsIssuerOfAny(const Certificate& authority,
                   const Certificates& certificates) {
  return std::ranges::any_of(certificates, [&](const CertificatePtr& each) {
    return each->issuer == authority.subject;
  });
}

// What the KMS keeps with `key` now: others may have changed it.
base::Result<Certificates> AttachedTo(Token& token, const Key& key) {
  ASSIGN_OR_RETURN(const Json reply,
                   token.kms().Call("Claviger.GetCertificates", NameOf(key)));
  Key now;
  now.arn = key.arn;
  const auto list = reply.find("Certificates");
  if (list != reply.end() && list->is_array()) {
    SetCertificates(*list, &key, token.library(), now);
  }
  return std::move(now.certificates);
}

// Gives `key` these certificates, its own first, in place of those it has.
base::Status Attach(Token& token, const Key& key,
                    const Certificates& certificates) {
  Json request = NameOf(key);
  request["Certificate"] = Base64Json(certificates.front()->der);
  Json chain = Json::array();
  for (std::size_t i = 1; i < certificates.size(); ++i) {
    chain.push_back(Base64Json(certificates[i]->der));
  }
  request["Chain"] = std::move(chain);
  RETURN_IF_ERROR(token.kms().Call("Claviger.PutCertificate", request));
  return {};
}

base::Status AttachOwn(Token& token, const Key& key,
                       const CertificatePtr& certificate) {
  ASSIGN_OR_RETURN(Certificates chain, AttachedTo(token, key));
  std::erase_if(chain,
                [&](const CertificatePtr& each) { return IsOwn(*each, key); });
  const bool goes_on =
      std::ranges::any_of(chain, [&](const CertificatePtr& each) {
        return each->subject == certificate->issuer;
      });
  if (!goes_on) {
    chain.clear();
  }
  chain.insert(chain.begin(), certificate);
  return Attach(token, key, chain);
}

base::Status AttachToChain(Token& token, const Key& key,
                           const CertificatePtr& certificate) {
  ASSIGN_OR_RETURN(Certificates certificates, AttachedTo(token, key));
  if (certificates.empty() || Has(certificates, *certificate)) {
    return {};
  }
  certificates.push_back(certificate);
  return Attach(token, key, certificates);
}

// Whether there was a key to keep it with.
base::Result<bool> AttachWhereItBelongs(Token& token,
                                        const std::vector<KeyPtr>& keys,
                                        const CertificatePtr& certificate) {
  bool attached = false;
  for (const KeyPtr& key : keys) {
    if (key->IsPair() && IsOwn(*certificate, *key)) {
      RETURN_IF_ERROR(AttachOwn(token, *key, certificate));
      attached = true;
    }
  }
  if (attached) {
    return true;
  }
  for (const KeyPtr& key : keys) {  // Each has its chain for itself.
    if (IsIssuerOfAny(*certificate, key->certificates)) {
      RETURN_IF_ERROR(AttachToChain(token, *key, certificate));
      attached = true;
    }
  }
  return attached;
}

Status KeepInFolder(Token& token, const Certificate& certificate) {
  const std::string& folder = token.options().certificate_dir;
  if (folder.empty()) {
    return Failure(CKR_ACTION_PROHIBITED,
                   "the KMS does not keep this certificate: it is for no key "
                   "of the token, or the KMS is no Claviger. The configuration "
                   "can name a folder for such (certificate_dir)");
  }
  const base::Status written = WriteCertificate(folder, certificate);
  if (!written.has_value()) {
    return Failure(CKR_DEVICE_ERROR, written.error().message);
  }
  return {};
}

Status Keep(Token& token, const CertificatePtr& certificate) {
  if (token.options().backend == Backend::kClaviger) {
    ASSIGN_OR_FAIL(const std::vector<KeyPtr> keys, token.Keys());
    const base::Result<bool> attached =
        AttachWhereItBelongs(token, keys, certificate);
    if (!attached.has_value() &&
        attached.error().code != ErrorCode::kUnknownOperation) {
      return Failed(attached.error());
    }
    if (attached.has_value() && *attached) {
      return {};
    }
  }
  return KeepInFolder(token, *certificate);
}

// The number in a DER INTEGER that is shorter than 128 bytes, as serial numbers
// are.
base::ByteView NumberIn(base::ByteView der) {
  return der.size() > 2 ? der.subspan(2) : base::ByteView();
}

// What a template says of a certificate beside the certificate itself must be
// in it. Nothing, the standard's default, says nothing. A serial number may be
// the bare number: so Java writes it.
Status CheckAgreesWith(const Certificate& certificate,
                       const AttributeSet& wanted) {
  if (wanted.IsTrue(CKA_TRUSTED)) {
    return Failure(CKR_ATTRIBUTE_READ_ONLY,
                   "whom to trust is not for this token to say");
  }
  AttributeSet own;
  AddCertificate(certificate, own);
  for (const CK_ATTRIBUTE_TYPE type :
       {CKA_SUBJECT, CKA_ISSUER, CKA_SERIAL_NUMBER, CKA_CHECK_VALUE}) {
    const base::WipingBytes* const value = wanted.Find(type);
    const bool agrees =
        value == nullptr || value->empty() || *value == *own.Find(type) ||
        (type == CKA_SERIAL_NUMBER &&
         std::ranges::equal(*value, NumberIn(certificate.serial)));
    if (!agrees) {
      return Failure(CKR_ATTRIBUTE_VALUE_INVALID,
                     "the certificate says otherwise than its template");
    }
  }
  return {};
}

base::Status DetachFrom(Token& token, const Key& key,
                        const Certificate& certificate) {
  if (IsOwn(certificate, key)) {
    RETURN_IF_ERROR(
        token.kms().Call("Claviger.DeleteCertificates", NameOf(key)));
    return {};
  }
  ASSIGN_OR_RETURN(Certificates certificates, AttachedTo(token, key));
  std::erase_if(certificates, [&](const CertificatePtr& each) {
    return each->fingerprint == certificate.fingerprint;
  });
  return certificates.empty() ? base::Status()
                              : Attach(token, key, certificates);
}

}  // namespace

Answer<CertificatePtr> CertificateIn(const AttributeSet& wanted,
                                     OSSL_LIB_CTX* library) {
  const base::WipingBytes* const value = wanted.Find(CKA_VALUE);
  if (value == nullptr) {
    return Failure(CKR_TEMPLATE_INCOMPLETE);
  }
  if (wanted.Number(CKA_CERTIFICATE_TYPE).value_or(CKC_X_509) != CKC_X_509) {
    return Failure(CKR_ATTRIBUTE_VALUE_INVALID);
  }
  base::Result<CertificatePtr> parsed = ParseCertificate(*value, library);
  if (!parsed.has_value()) {
    return Failure(CKR_ATTRIBUTE_VALUE_INVALID,
                   "CKA_VALUE is " + parsed.error().message);
  }
  RETURN_IF_FAILED(CheckAgreesWith(**parsed, wanted));
  return *std::move(parsed);
}

Answer<CK_OBJECT_HANDLE> AddTokenCertificate(
    Token& token, const CertificatePtr& certificate) {
  const Status kept = Keep(token, certificate);
  token.NoteChange();
  RETURN_IF_FAILED(kept);
  AttributeSet wanted;
  wanted.SetNumber(CKA_CLASS, CKO_CERTIFICATE);
  wanted.Set(CKA_VALUE, certificate->der);
  wanted.SetBool(CKA_TOKEN, true);
  ASSIGN_OR_FAIL(const std::vector<CK_OBJECT_HANDLE> found,
                 token.Search(wanted));
  if (found.empty()) {
    return Failure(CKR_DEVICE_ERROR, "the new certificate is not listed");
  }
  return found.front();
}

Status RemoveTokenCertificate(Token& token, const Object& object) {
  const HeldCertificate& held = object.certificate;
  switch (held.source) {
    case CertificateSource::kConfiguration:
      return Failure(CKR_ACTION_PROHIBITED,
                     "the certificate is one of the configuration");
    case CertificateSource::kEphemeral:
      return Failure(CKR_ACTION_PROHIBITED,
                     "the certificate is one of ephemeral_certificates");
    case CertificateSource::kFolder: {
      const base::Status removed = RemoveCertificateFile(
          token.options().certificate_dir, *held.certificate);
      token.NoteChange();
      if (!removed.has_value()) {
        return Failure(CKR_ACTION_PROHIBITED, removed.error().message);
      }
      return {};
    }
    case CertificateSource::kServer:
      break;
  }
  ASSIGN_OR_FAIL(const std::vector<KeyPtr> keys, token.Keys());
  for (const KeyPtr& key : keys) {
    if (!Has(key->certificates, *held.certificate)) {
      continue;
    }
    const base::Status detached = DetachFrom(token, *key, *held.certificate);
    token.NoteChange();
    if (!detached.has_value()) {
      return Failed(detached.error());
    }
  }
  return {};
}

}  // namespace pkcs11::module
