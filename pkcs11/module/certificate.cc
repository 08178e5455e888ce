// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/certificate.h"

#include <fmt/format.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>

#include "base/hash.h"
#include "pkcs11/owners.h"

namespace pkcs11::module {
namespace {

using base::Error;
using base::ErrorCode;

using CertificateOwner = std::unique_ptr<X509, OpensslFree<X509_free>>;

// What a certificate is called by, the first of these that it has.
constexpr std::array kNames = {NID_commonName, NID_organizationalUnitName,
                               NID_organizationName};

Error NotOne() {
  return {ErrorCode::kInvalidArgument,
          "not the DER encoding of one X.509 certificate"};
}

// What OpenSSL's i2d_* function makes of `object`.
template <typename T, typename Encode>
base::Bytes Encoded(T* object, const Encode& encode) {
  const int size = encode(object, nullptr);
  if (size <= 0) {
    return {};
  }
  base::Bytes der(static_cast<std::size_t>(size));
  unsigned char* at = der.data();
  encode(object, &at);
  return der;
}

base::Bytes Sha1(base::ByteView bytes, OSSL_LIB_CTX* library) {
  const DigestOwner digest(EVP_MD_fetch(library, "SHA1", nullptr));
  base::Bytes hash(20);
  if (digest == nullptr || EVP_Digest(bytes.data(), bytes.size(), hash.data(),
                                      nullptr, digest.get(), nullptr) != 1) {
    return {};
  }
  return hash;
}

std::string NameOf(const X509_NAME* subject) {
  for (const int nid : kNames) {
    const int at = X509_NAME_get_index_by_NID(subject, nid, -1);
    if (at < 0) {
      continue;
    }
    const ASN1_STRING* const value =
        X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
    unsigned char* text = nullptr;
    const int size = ASN1_STRING_to_UTF8(&text, value);
    if (size > 0) {
      std::string name(reinterpret_cast<const char*>(text),
                       static_cast<std::size_t>(size));
      OPENSSL_free(text);
      return name;
    }
    OPENSSL_free(text);
  }
  return {};
}

std::string DateOf(const ASN1_TIME* time) {
  std::tm parts = {};
  if (ASN1_TIME_to_tm(time, &parts) != 1) {
    return {};
  }
  return fmt::format("{:04}{:02}{:02}", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday);
}

}  // namespace

base::Result<CertificatePtr> ParseCertificate(base::ByteView der,
                                              OSSL_LIB_CTX* library) {
  const QuietQueue quiet;
  X509* raw = X509_new_ex(library, nullptr);
  const unsigned char* at = der.data();
  // On failure it frees what it was given, and sets it to null.
  const bool parsed =
      d2i_X509(&raw, &at, static_cast<long>(der.size())) != nullptr;
  const CertificateOwner owner(raw);
  if (!parsed || at != der.data() + der.size()) {
    return NotOne();
  }
  Certificate certificate;
  certificate.der.assign(der.begin(), der.end());
  certificate.subject = Encoded(X509_get_subject_name(raw), i2d_X509_NAME);
  certificate.issuer = Encoded(X509_get_issuer_name(raw), i2d_X509_NAME);
  certificate.serial = Encoded(X509_get0_serialNumber(raw), i2d_ASN1_INTEGER);
  certificate.spki = Encoded(X509_get_X509_PUBKEY(raw), i2d_X509_PUBKEY);
  certificate.name = NameOf(X509_get_subject_name(raw));
  certificate.start_date = DateOf(X509_get0_notBefore(raw));
  certificate.end_date = DateOf(X509_get0_notAfter(raw));
  certificate.is_authority = (X509_get_extension_flags(raw) & EXFLAG_CA) != 0;
  base::Hasher hasher(library);
  certificate.fingerprint = base::HexEncode(hasher.Sha256(der));
  certificate.sha1 = Sha1(der, library);
  certificate.key_sha1 = Sha1(certificate.spki, library);
  if (certificate.serial.empty() || certificate.spki.empty() ||
      certificate.sha1.empty() || certificate.key_sha1.empty()) {
    return NotOne();
  }
  return std::make_shared<const Certificate>(std::move(certificate));
}

}  // namespace pkcs11::module
