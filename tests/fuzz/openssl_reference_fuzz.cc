// SPDX-License-Identifier: Apache-2.0
// A program's OpenSSL with the provider reads any file as a private key, a
// public key or parameters: it comes to an end, and what is no reference is
// read as by an OpenSSL without the provider.
#include <openssl/core.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/x509.h>

#include <cstdlib>

#include "kms/client/key_uri.h"
#include "pkcs11/owners.h"

extern "C" int OSSL_provider_init(const OSSL_CORE_HANDLE* handle,
                                  const OSSL_DISPATCH* in,
                                  const OSSL_DISPATCH** out, void** provider);

namespace {

using pkcs11::OpensslFree;
using pkcs11::PkeyOwner;
using BioOwner = std::unique_ptr<BIO, OpensslFree<BIO_free_all>>;

// Never freed, as in a program that ends.
OSSL_LIB_CTX* NewLibrary(bool with_ours) {
  OSSL_LIB_CTX* const library = OSSL_LIB_CTX_new();
  OSSL_PROVIDER_load(library, "default");
  if (with_ours) {
    OSSL_PROVIDER_add_builtin(library, "claviger", OSSL_provider_init);
    if (OSSL_PROVIDER_load(library, "claviger") == nullptr) {
      std::abort();
    }
  }
  return library;
}

PkeyOwner ReadPem(OSSL_LIB_CTX* library, base::ByteView input) {
  const BioOwner bio(
      BIO_new_mem_buf(input.data(), static_cast<int>(input.size())));
  // Nobody is asked for a password.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  return PkeyOwner(PEM_read_bio_PrivateKey_ex(bio.get(), nullptr, no_password,
                                              nullptr, library, nullptr));
}

PkeyOwner ReadDer(OSSL_LIB_CTX* library, base::ByteView input) {
  const BioOwner bio(
      BIO_new_mem_buf(input.data(), static_cast<int>(input.size())));
  return PkeyOwner(d2i_PrivateKey_ex_bio(bio.get(), nullptr, library, nullptr));
}

PkeyOwner ReadPublic(OSSL_LIB_CTX* library, base::ByteView input) {
  const BioOwner bio(
      BIO_new_mem_buf(input.data(), static_cast<int>(input.size())));
  return PkeyOwner(PEM_read_bio_PUBKEY_ex(bio.get(), nullptr, nullptr, nullptr,
                                          library, nullptr));
}

PkeyOwner ReadPublicDer(OSSL_LIB_CTX* library, base::ByteView input) {
  const unsigned char* at = input.data();
  return PkeyOwner(d2i_PUBKEY_ex(nullptr, &at, static_cast<long>(input.size()),
                                 library, nullptr));
}

PkeyOwner ReadParameters(OSSL_LIB_CTX* library, base::ByteView input) {
  const BioOwner bio(
      BIO_new_mem_buf(input.data(), static_cast<int>(input.size())));
  return PkeyOwner(
      PEM_read_bio_Parameters_ex(bio.get(), nullptr, library, nullptr));
}

void Compare(PkeyOwner (*read)(OSSL_LIB_CTX*, base::ByteView),
             int (*equal)(const EVP_PKEY*, const EVP_PKEY*),
             base::ByteView input) {
  static OSSL_LIB_CTX* const plain = NewLibrary(false);
  static OSSL_LIB_CTX* const ours = NewLibrary(true);
  const PkeyOwner one = read(plain, input);
  const PkeyOwner two = read(ours, input);
  ERR_clear_error();
  // There is no KMS: no reference becomes a key.
  if ((one == nullptr) != (two == nullptr) ||
      (one != nullptr && equal(one.get(), two.get()) == 0)) {
    std::abort();
  }
}

}  // namespace

// The name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* bytes, std::size_t size) {
  const base::ByteView input(bytes, size);
  setenv("CLAVIGER_SOCKET", "/nonexistent/claviger.sock", 1);
  const auto uri = kms::client::DecodeReference(input);
  if (uri.has_value()) {
    const auto again =
        kms::client::DecodeReference(kms::client::EncodeReference(*uri));
    if (!again.has_value() || *again != *uri ||
        !kms::client::MayBeReference(input)) {
      std::abort();
    }
  }
  Compare(ReadPem, EVP_PKEY_eq, input);
  Compare(ReadDer, EVP_PKEY_eq, input);
  Compare(ReadPublic, EVP_PKEY_eq, input);
  Compare(ReadPublicDer, EVP_PKEY_eq, input);
  Compare(ReadParameters, EVP_PKEY_parameters_eq, input);
  return 0;
}
