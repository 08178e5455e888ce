// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/soft/ecdh.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "pkcs11/module/cipher.h"
#include "pkcs11/module/key_use.h"
#include "pkcs11/module/soft/public_key.h"
#include "pkcs11/owners.h"
#include "pkcs11/public_key.h"

namespace pkcs11::module {
namespace {

using base::Json;
using KdfOwner = std::unique_ptr<EVP_KDF, OpensslFree<EVP_KDF_free>>;
using KdfContext = std::unique_ptr<EVP_KDF_CTX, OpensslFree<EVP_KDF_CTX_free>>;

// No point is longer; and no shared data that anybody could mean.
constexpr std::size_t kMaxPointBytes = 1024;
constexpr std::size_t kMaxSharedData = 1U << 16;

struct KdfRow {
  CK_ULONG kdf;
  const Hash* hash;
};
constexpr std::array kKdfs = {
    KdfRow{CKD_NULL, nullptr},        KdfRow{CKD_SHA1_KDF, &kSha1},
    KdfRow{CKD_SHA224_KDF, &kSha224}, KdfRow{CKD_SHA256_KDF, &kSha256},
    KdfRow{CKD_SHA384_KDF, &kSha384}, KdfRow{CKD_SHA512_KDF, &kSha512},
};

Answer<base::WipingBytes> AskKms(Kms& kms, const Key& key,
                                 const EVP_PKEY* peer) {
  ASSIGN_OR_FAIL(const base::Bytes spki, SpkiOf(peer));
  const Json request = {{"KeyId", base::WipingString(key.arn)},
                        {"KeyAgreementAlgorithm", "ECDH"},
                        {"PublicKey", Base64Json(spki)}};
  ASSIGN_OR_FAIL(const Json reply, kms.Call("DeriveSharedSecret", request));
  ASSIGN_OR_FAIL(base::WipingBytes bytes, SecretMember(reply, "SharedSecret"));
  return bytes;
}

Answer<base::WipingBytes> Agree(EVP_PKEY* own, EVP_PKEY* peer,
                                OSSL_LIB_CTX* library) {
  const QuietQueue quiet;
  const PkeyContext context(EVP_PKEY_CTX_new_from_pkey(library, own, nullptr));
  std::size_t size = 0;
  if (context == nullptr || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), peer) != 1 ||
      EVP_PKEY_derive(context.get(), nullptr, &size) != 1) {
    return Failure(CKR_FUNCTION_FAILED, "OpenSSL cannot do ECDH");
  }
  base::WipingBytes secret(size);
  if (EVP_PKEY_derive(context.get(), secret.data(), &size) != 1) {
    return Failure(CKR_FUNCTION_FAILED, "OpenSSL cannot do ECDH");
  }
  secret.resize(size);
  return secret;
}

}  // namespace

Answer<AgreementParameter> ReadAgreement(const CK_MECHANISM& mechanism) {
  const Failure bad(CKR_MECHANISM_PARAM_INVALID);
  const auto given = ParameterOf<CK_ECDH1_DERIVE_PARAMS>(mechanism);
  if (!given.has_value()) {
    return bad;
  }
  const auto* const row = std::ranges::find(kKdfs, given->kdf, &KdfRow::kdf);
  if (row == kKdfs.end() || given->pPublicData == nullptr ||
      given->ulPublicDataLen > kMaxPointBytes ||
      given->ulSharedDataLen > kMaxSharedData ||
      (given->ulSharedDataLen != 0 &&
       (given->pSharedData == nullptr || row->hash == nullptr))) {
    return bad;
  }
  AgreementParameter parameter;
  parameter.kdf_hash = row->hash;
  parameter.public_point.assign(given->pPublicData,
                                given->pPublicData + given->ulPublicDataLen);
  if (given->ulSharedDataLen != 0) {
    parameter.shared_data.assign(given->pSharedData,
                                 given->pSharedData + given->ulSharedDataLen);
  }
  return parameter;
}

Answer<base::WipingBytes> SharedSecret(const Key& key, base::ByteView point,
                                       Kms& kms, OSSL_LIB_CTX* library) {
  const Answer<PkeyOwner> peer =
      PublicKeyOfPoint(*key.spec->curve, point, library);
  if (!peer.has_value()) {
    return Failure(CKR_MECHANISM_PARAM_INVALID,
                   "the other's public key is no point on the curve");
  }
  return key.private_key == nullptr
             ? AskKms(kms, key, peer->get())
             : Agree(key.private_key.get(), peer->get(), library);
}

Answer<base::WipingBytes> KeyOfSharedSecret(const AgreementParameter& parameter,
                                            const base::WipingBytes& secret,
                                            std::size_t size,
                                            OSSL_LIB_CTX* library) {
  if (parameter.kdf_hash == nullptr) {
    // PKCS#11 2.40 mechanisms, 2.3.8: bytes go from the leading end.
    if (size > secret.size()) {
      return Failure(CKR_KEY_SIZE_RANGE);
    }
    return base::WipingBytes(secret.end() - static_cast<std::ptrdiff_t>(size),
                             secret.end());
  }
  const QuietQueue quiet;
  const KdfOwner kdf(EVP_KDF_fetch(library, "X963KDF", nullptr));
  const KdfContext context(kdf == nullptr ? nullptr
                                          : EVP_KDF_CTX_new(kdf.get()));
  std::string hash = parameter.kdf_hash->name;
  base::WipingBytes input = secret;
  base::Bytes data = parameter.shared_data;
  const std::array<OSSL_PARAM, 4> parameters = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, hash.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, input.data(),
                                        input.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, data.data(),
                                        data.size()),
      OSSL_PARAM_construct_end()};
  base::WipingBytes key(size);
  if (context == nullptr ||
      EVP_KDF_derive(context.get(), key.data(), key.size(),
                     parameters.data()) != 1) {
    return Failure(CKR_FUNCTION_FAILED, "OpenSSL cannot do the X9.63 KDF");
  }
  return key;
}

}  // namespace pkcs11::module
