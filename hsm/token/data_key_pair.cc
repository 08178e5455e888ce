// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/data_key_pair.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <utility>

#include "hsm/algorithms.h"
#include "hsm/token/curves.h"
#include "hsm/token/openssl.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

Error Failed() {
  ERR_clear_error();
  return {ErrorCode::kInternal, "OpenSSL cannot make the key pair"};
}

PkeyOwner Generate(const AlgorithmRow& row) {
  switch (row.kind) {
    case KeyKind::kRsa:  // With the exponent 65537.
      return PkeyOwner(EVP_RSA_gen(static_cast<unsigned>(row.bits)));
    case KeyKind::kEc:
      return PkeyOwner(EVP_EC_gen(FindCurve(row.algorithm)->group));
    case KeyKind::kEdwards:
      return PkeyOwner(EVP_PKEY_Q_keygen(nullptr, nullptr, kEd25519.group));
    case KeyKind::kAes:
    case KeyKind::kHmac:
      break;
  }
  return nullptr;
}

base::Result<base::Bytes> PublicDer(const EVP_PKEY* key) {
  const int size = i2d_PUBKEY(key, nullptr);
  base::Bytes der(static_cast<std::size_t>(size < 0 ? 0 : size));
  unsigned char* at = der.data();
  if (size <= 0 || i2d_PUBKEY(key, &at) != size) {
    return Failed();
  }
  return der;
}

}  // namespace

// By way of memory that OpenSSL wipes.
base::Result<base::Secret> PrivateKeyInfo(const EVP_PKEY* key) {
  const EncoderContext encoder(OSSL_ENCODER_CTX_new_for_pkey(
      key, EVP_PKEY_KEYPAIR, "DER", "PrivateKeyInfo", nullptr));
  const BioOwner bio(BIO_new(BIO_s_secmem()));
  if (encoder == nullptr || bio == nullptr ||
      OSSL_ENCODER_to_bio(encoder.get(), bio.get()) != 1) {
    return Failed();
  }
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &bytes);
  if (size <= 0 || bytes == nullptr) {
    return Failed();
  }
  return base::Secret::CopyOf(
      std::string_view(bytes, static_cast<std::size_t>(size)));
}

base::Result<DataKeyPair> MakeDataKeyPair(Algorithm algorithm) {
  const AlgorithmRow* row = FindAlgorithm(algorithm);
  if (row == nullptr || !IsKeyPair(row->kind)) {
    return Error{ErrorCode::kInvalidArgument, "the algorithm has no key pairs"};
  }
  const PkeyOwner key = Generate(*row);
  if (key == nullptr) {
    return Failed();
  }
  DataKeyPair pair;
  ASSIGN_OR_RETURN(pair.public_key, PublicDer(key.get()));
  ASSIGN_OR_RETURN(pair.private_key, PrivateKeyInfo(key.get()));
  return pair;
}

}  // namespace hsm::token
