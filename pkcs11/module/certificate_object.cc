// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/certificate_object.h"

#include <map>
#include <string>
#include <utility>

namespace pkcs11::module {
namespace {

// PKCS#11 2.40, "Certificate objects": CKA_CERTIFICATE_CATEGORY.
constexpr CK_ULONG kTokenUser = 1;
constexpr CK_ULONG kAuthority = 2;
constexpr CK_ULONG kOtherEntity = 3;

constexpr std::size_t kCheckBytes = 3;

using ObjectPtr = std::shared_ptr<const Object>;
using KeyPtr = std::shared_ptr<const Key>;

CK_ULONG CategoryOf(const Certificate& certificate, const Key* key) {
  if (certificate.is_authority) {
    return kAuthority;
  }
  return key != nullptr ? kTokenUser : kOtherEntity;
}

// `key` is that whose public key the certificate is for; null: none.
ObjectPtr ObjectOf(const HeldCertificate& held, const KeyPtr& key) {
  const Certificate& certificate = *held.certificate;
  Object object;
  object.object_class = CKO_CERTIFICATE;
  object.unique_id =
      (key == nullptr ? "" : key->arn) + "#cert-" + certificate.fingerprint;
  object.key = key;
  object.certificate = held;
  AttributeSet& attributes = object.attributes;
  AddCertificate(certificate, attributes);
  attributes.SetText(CKA_UNIQUE_ID, object.unique_id);
  attributes.SetNumber(CKA_CERTIFICATE_CATEGORY,
                       CategoryOf(certificate, key.get()));
  attributes.SetBool(CKA_TOKEN, true);
  attributes.SetBool(CKA_PRIVATE, false);
  attributes.SetBool(CKA_MODIFIABLE, false);
  attributes.SetBool(CKA_COPYABLE, false);
  attributes.SetBool(CKA_DESTROYABLE,
                     held.source == CertificateSource::kServer ||
                         held.source == CertificateSource::kFolder);
  attributes.SetBool(CKA_TRUSTED, false);
  if (key != nullptr) {
    attributes.Set(CKA_ID, key->id);
    attributes.SetText(CKA_LABEL, key->label);
    attributes.SetText(CKA_KMS_KEY_ARN, key->arn);
    return std::make_shared<const Object>(std::move(object));
  }
  attributes.Set(CKA_ID, certificate.key_sha1);
  attributes.SetText(CKA_LABEL, certificate.name.empty()
                                    ? certificate.fingerprint
                                    : certificate.name);
  return std::make_shared<const Object>(std::move(object));
}

// Objects by CKA_UNIQUE_ID: the first of several with the same stays.
class Collection {
 public:
  explicit Collection(const std::vector<KeyPtr>& keys) {
    for (const KeyPtr& key : keys) {
      if (!key->spki.empty()) {
        keys_.emplace(key->spki, key);
      }
    }
  }

  void Add(const HeldCertificate& held) {
    const auto [first, last] = keys_.equal_range(held.certificate->spki);
    for (auto it = first; it != last; ++it) {
      Put(of_keys_, ObjectOf(held, it->second));
    }
    if (first == last) {
      Put(others_, ObjectOf(held, nullptr));
    }
  }

  std::vector<ObjectPtr> All() const {
    std::vector<ObjectPtr> all;
    for (const auto* const part : {&of_keys_, &others_}) {
      for (const auto& [id, object] : *part) {
        all.push_back(object);
      }
    }
    return all;
  }

 private:
  using ById = std::map<std::string, ObjectPtr>;

  static void Put(ById& part, const ObjectPtr& object) {
    part.emplace(object->unique_id, object);
  }

  std::multimap<base::Bytes, KeyPtr> keys_;  // By their public keys.
  ById of_keys_;
  ById others_;
};

}  // namespace

void AddCertificate(const Certificate& certificate, AttributeSet& attributes) {
  attributes.SetNumber(CKA_CLASS, CKO_CERTIFICATE);
  attributes.SetNumber(CKA_CERTIFICATE_TYPE, CKC_X_509);
  attributes.Set(CKA_VALUE, certificate.der);
  attributes.Set(CKA_SUBJECT, certificate.subject);
  attributes.Set(CKA_ISSUER, certificate.issuer);
  attributes.Set(CKA_SERIAL_NUMBER, certificate.serial);
  attributes.Set(CKA_PUBLIC_KEY_INFO, certificate.spki);
  attributes.Set(CKA_CHECK_VALUE,
                 base::ByteView(certificate.sha1).first(kCheckBytes));
  // Eight digits are a CK_DATE.
  attributes.SetText(CKA_START_DATE, certificate.start_date);
  attributes.SetText(CKA_END_DATE, certificate.end_date);
  attributes.SetText(CKA_URL, "");
  attributes.Set(CKA_HASH_OF_SUBJECT_PUBLIC_KEY, {});
  attributes.Set(CKA_HASH_OF_ISSUER_PUBLIC_KEY, {});
  attributes.SetNumber(CKA_NAME_HASH_ALGORITHM, CKM_SHA_1);
}

std::vector<ObjectPtr> CertificateObjects(
    const std::vector<KeyPtr>& keys,
    const std::vector<HeldCertificate>& others) {
  Collection collection(keys);
  for (const KeyPtr& key : keys) {
    for (const CertificatePtr& certificate : key->certificates) {
      collection.Add({certificate, CertificateSource::kServer});
    }
  }
  for (const HeldCertificate& held : others) {
    collection.Add(held);
  }
  return collection.All();
}

}  // namespace pkcs11::module
