// SPDX-License-Identifier: Apache-2.0
#include "tests/testlib/certificate.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <memory>

namespace testlib {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_NAME* name) const { X509_NAME_free(name); }
  void operator()(X509_EXTENSION* extension) const {
    X509_EXTENSION_free(extension);
  }
};
template <typename T>
using Owner = std::unique_ptr<T, Free>;

void Require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

Owner<X509_NAME> Name(const std::string& common_name) {
  Owner<X509_NAME> name(X509_NAME_new());
  Require(common_name.empty() ||
          X509_NAME_add_entry_by_txt(
              name.get(), "CN", MBSTRING_UTF8,
              reinterpret_cast<const unsigned char*>(common_name.c_str()), -1,
              -1, 0) == 1);
  return name;
}

}  // namespace

base::Bytes MakeCertificate(const CertificateText& text) {
  const Owner<EVP_PKEY> signer(EVP_EC_gen("P-256"));
  const Owner<X509> certificate(X509_new());
  X509* const x509 = certificate.get();
  X509_set_version(x509, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), text.serial);
  ASN1_TIME_set_string(X509_getm_notBefore(x509), "260102030405Z");
  ASN1_TIME_set_string(X509_getm_notAfter(x509), "360102030405Z");
  X509_set_subject_name(x509, Name(text.subject).get());
  X509_set_issuer_name(x509, Name(text.issuer).get());
  if (text.spki.empty()) {
    X509_set_pubkey(x509, signer.get());
  } else {
    const unsigned char* at = text.spki.data();
    const Owner<EVP_PKEY> key(
        d2i_PUBKEY(nullptr, &at, static_cast<long>(text.spki.size())));
    Require(X509_set_pubkey(x509, key.get()) == 1);
  }
  if (text.is_authority) {
    const Owner<X509_EXTENSION> extension(X509V3_EXT_conf_nid(
        nullptr, nullptr, NID_basic_constraints, "critical,CA:TRUE"));
    Require(X509_add_ext(x509, extension.get(), -1) == 1);
  }
  Require(X509_sign(x509, signer.get(), EVP_sha256()) > 0);
  unsigned char* der = nullptr;
  const int size = i2d_X509(x509, &der);
  Require(size > 0);
  base::Bytes bytes(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

}  // namespace testlib
