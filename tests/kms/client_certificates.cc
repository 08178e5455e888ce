// SPDX-License-Identifier: Apache-2.0
#include "tests/kms/client_certificates.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>

namespace kms::client {
namespace {

void Require(bool ok, const char* what) {
  if (!ok) {
    std::cerr << "Certificate: " << what << std::endl;
    std::abort();
  }
}

void AddExtension(X509* certificate, int nid, const std::string& value) {
  X509_EXTENSION* const extension =
      X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
  Require(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1,
          "extension");
  X509_EXTENSION_free(extension);
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

std::unique_ptr<std::FILE, CloseFile> OpenForWriting(const std::string& path) {
  std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "w"));
  Require(file != nullptr, "open");
  return file;
}

}  // namespace

Certificate::Certificate(const Subject& subject, const Certificate* issuer)
    : key_(subject.rsa_bits == 0 ? EVP_EC_gen("P-256")
                                 : EVP_RSA_gen(subject.rsa_bits)),
      certificate_(X509_new()) {
  static long serial = 1;
  X509* const certificate = certificate_.get();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate), subject.valid_from_seconds);
  X509_gmtime_adj(X509_getm_notAfter(certificate), subject.valid_for_seconds);
  X509_set_pubkey(certificate, key_.get());
  X509_NAME* const name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(
      name, "CN", MBSTRING_UTF8,
      reinterpret_cast<const unsigned char*>(subject.name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate,
                       issuer != nullptr
                           ? X509_get_subject_name(issuer->certificate_.get())
                           : name);
  AddExtension(certificate, NID_basic_constraints,
               subject.is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (!subject.alternative_names.empty()) {
    AddExtension(certificate, NID_subject_alt_name, subject.alternative_names);
  }
  EVP_PKEY* const signer = issuer != nullptr ? issuer->key_.get() : key_.get();
  Require(X509_sign(certificate, signer, EVP_sha256()) > 0, "sign");
}

void Certificate::WriteCertificate(const std::string& path) const {
  Require(PEM_write_X509(OpenForWriting(path).get(), certificate_.get()) == 1,
          "write certificate");
}

void Certificate::WriteKey(const std::string& path) const {
  Require(PEM_write_PrivateKey(OpenForWriting(path).get(), key_.get(), nullptr,
                               nullptr, 0, nullptr, nullptr) == 1,
          "write key");
}

}  // namespace kms::client
