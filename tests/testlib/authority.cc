// SPDX-License-Identifier: Apache-2.0
#include "tests/testlib/authority.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdlib>

namespace testlib {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_EXTENSION* extension) const {
    X509_EXTENSION_free(extension);
  }
  void operator()(BIO* bio) const { BIO_free(bio); }
};
template <typename T>
using Owner = std::unique_ptr<T, Free>;

void Require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

template <typename Write>
std::string Pem(Write write) {
  const Owner<BIO> bio(BIO_new(BIO_s_mem()));
  Require(write(bio.get()) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

std::string PemOf(X509* certificate) {
  return Pem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

void AddExtension(X509* certificate, int nid, const std::string& value) {
  const Owner<X509_EXTENSION> extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str()));
  Require(extension != nullptr &&
          X509_add_ext(certificate, extension.get(), -1) == 1);
}

// Not signed yet.
Owner<X509> NewCertificate(const std::string& name, EVP_PKEY* key, long serial,
                           const std::string& not_after) {
  Owner<X509> certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
  ASN1_TIME_set_string(X509_getm_notBefore(certificate.get()), "200101000000Z");
  Require(ASN1_TIME_set_string(X509_getm_notAfter(certificate.get()),
                               not_after.c_str()) == 1);
  X509_NAME_add_entry_by_txt(
      X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
      reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  Require(X509_set_pubkey(certificate.get(), key) == 1);
  return certificate;
}

}  // namespace

struct Authority::Parts {
  Owner<EVP_PKEY> key{EVP_EC_gen("P-256")};
  Owner<X509> certificate;
  long serial = 1;
};

Authority::Authority(const std::string& name)
    : parts_(std::make_unique<Parts>()) {
  EVP_PKEY* const key = parts_->key.get();
  parts_->certificate = NewCertificate(name, key, 1, "491231235959Z");
  X509* const certificate = parts_->certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  AddExtension(certificate, NID_basic_constraints, "critical,CA:TRUE");
  Require(X509_sign(certificate, key, EVP_sha256()) > 0);
}

Authority::~Authority() = default;

std::string Authority::certificate() const {
  return PemOf(parts_->certificate.get());
}

Identity Authority::Issue(const std::string& name,
                          const std::string& not_after) const {
  const Owner<EVP_PKEY> key(EVP_EC_gen("P-256"));
  const Owner<X509> certificate =
      NewCertificate(name, key.get(), ++parts_->serial, not_after);
  X509_set_issuer_name(certificate.get(),
                       X509_get_subject_name(parts_->certificate.get()));
  AddExtension(certificate.get(), NID_subject_alt_name, "DNS:" + name);
  Require(X509_sign(certificate.get(), parts_->key.get(), EVP_sha256()) > 0);
  return {PemOf(certificate.get()), Pem([&](BIO* bio) {
            return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0,
                                            nullptr, nullptr);
          })};
}

}  // namespace testlib
