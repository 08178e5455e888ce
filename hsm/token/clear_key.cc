// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/clear_key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>

#include <array>
#include <string_view>
#include <utility>

#include "hsm/token/curves.h"
#include "hsm/token/openssl.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

Error Wrong() {
  ERR_clear_error();
  return {ErrorCode::kInvalidCiphertext, ""};
}

struct Part {
  CK_ATTRIBUTE_TYPE type;
  const char* name;
};
constexpr std::array kRsaParts = {
    Part{CKA_MODULUS, OSSL_PKEY_PARAM_RSA_N},
    Part{CKA_PUBLIC_EXPONENT, OSSL_PKEY_PARAM_RSA_E},
    Part{CKA_PRIVATE_EXPONENT, OSSL_PKEY_PARAM_RSA_D},
    Part{CKA_PRIME_1, OSSL_PKEY_PARAM_RSA_FACTOR1},
    Part{CKA_PRIME_2, OSSL_PKEY_PARAM_RSA_FACTOR2},
    Part{CKA_EXPONENT_1, OSSL_PKEY_PARAM_RSA_EXPONENT1},
    Part{CKA_EXPONENT_2, OSSL_PKEY_PARAM_RSA_EXPONENT2},
    Part{CKA_COEFFICIENT, OSSL_PKEY_PARAM_RSA_COEFFICIENT1},
};

struct ClearFree {
  void operator()(BIGNUM* number) const noexcept { BN_clear_free(number); }
};
using SecretNumber = std::unique_ptr<BIGNUM, ClearFree>;

// `size` 0: as many bytes as it takes.
base::Result<base::Secret> NumberOf(const EVP_PKEY* key, const char* name,
                                    std::size_t size) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &raw) != 1) {
    return Wrong();
  }
  const SecretNumber number(raw);
  const auto needed = static_cast<std::size_t>(BN_num_bytes(number.get()));
  base::Secret bytes(size == 0 ? needed : size);
  if (bytes.size() < needed ||
      BN_bn2binpad(number.get(), bytes.Reveal().data(),
                   static_cast<int>(bytes.size())) < 0) {
    return Wrong();
  }
  return bytes;
}

base::Result<PkeyOwner> ParsePkcs8(const base::Secret& material) {
  const auto bytes = material.Reveal();
  const unsigned char* at = bytes.data();
  const PrivateKeyInfoOwner info(
      d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(bytes.size())));
  if (info == nullptr || at != bytes.data() + bytes.size()) {
    return Wrong();
  }
  PkeyOwner key(EVP_PKCS82PKEY(info.get()));
  if (key == nullptr) {
    return Wrong();
  }
  return key;
}

base::Result<ClearKey> RsaKey(const AlgorithmRow& row, const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA") != 1 || EVP_PKEY_get_bits(key) != row.bits) {
    return Wrong();
  }
  ClearKey clear;
  for (const Part& part : kRsaParts) {
    ASSIGN_OR_RETURN(base::Secret bytes, NumberOf(key, part.name, 0));
    clear.values.push_back({part.type, std::move(bytes)});
  }
  auto public_key = PublicKey::OfRsa(clear.values[0].bytes.Reveal(),
                                     clear.values[1].bytes.Reveal());
  if (!public_key.has_value()) {
    return Wrong();
  }
  clear.public_key.emplace(*std::move(public_key));
  return clear;
}

base::Result<base::Bytes> SpkiOf(const EVP_PKEY* key) {
  const int size = i2d_PUBKEY(key, nullptr);
  base::Bytes der(static_cast<std::size_t>(size < 0 ? 0 : size));
  unsigned char* at = der.data();
  if (size <= 0 || i2d_PUBKEY(key, &at) != size) {
    return Wrong();
  }
  return der;
}

void SetCurve(ClearKey& clear, const Curve& curve) {
  const base::Bytes oid = base::HexDecode(curve.oid).value_or(base::Bytes());
  clear.values.push_back({CKA_EC_PARAMS, base::Secret::CopyOf(oid)});
}

base::Result<ClearKey> EcKey(const Curve& curve, const EVP_PKEY* key) {
  ASSIGN_OR_RETURN(const base::Bytes spki, SpkiOf(key));
  auto public_key = PublicKey::OfPeer(curve, spki);
  if (!public_key.has_value()) {
    return Wrong();
  }
  ASSIGN_OR_RETURN(base::Secret scalar,
                   NumberOf(key, OSSL_PKEY_PARAM_PRIV_KEY, curve.size));
  ClearKey clear;
  SetCurve(clear, curve);
  clear.values.push_back({CKA_VALUE, std::move(scalar)});
  clear.public_key.emplace(*std::move(public_key));
  return clear;
}

base::Result<ClearKey> EdwardsKey(const Curve& curve, const EVP_PKEY* key) {
  base::Secret seed(curve.size);
  base::Bytes point(curve.size);
  std::size_t seed_size = seed.size();
  std::size_t point_size = point.size();
  if (EVP_PKEY_is_a(key, curve.group) != 1 ||
      EVP_PKEY_get_raw_private_key(key, seed.Reveal().data(), &seed_size) !=
          1 ||
      EVP_PKEY_get_raw_public_key(key, point.data(), &point_size) != 1 ||
      seed_size != curve.size || point_size != curve.size) {
    return Wrong();
  }
  auto public_key = PublicKey::OfPoint(curve, point);
  if (!public_key.has_value()) {
    return Wrong();
  }
  ClearKey clear;
  SetCurve(clear, curve);
  clear.values.push_back({CKA_VALUE, std::move(seed)});
  clear.public_key.emplace(*std::move(public_key));
  return clear;
}

base::Result<ClearKey> SecretKey(const AlgorithmRow& row,
                                 const base::Secret& material) {
  const SizeRange sizes = ImportedSize(row.algorithm);
  if (material.size() < sizes.min || material.size() > sizes.max) {
    return Wrong();
  }
  ClearKey clear;
  clear.values.push_back(
      {CKA_VALUE, base::Secret::CopyOf(base::ByteView(material.Reveal()))});
  return clear;
}

}  // namespace

void ClearKey::AddTo(Template& attributes) const {
  attributes.Remove(CKA_VALUE_LEN);
  for (const Value& value : values) {
    attributes.Set(value.type, base::ByteView(value.bytes.Reveal()));
  }
}

base::Result<ClearKey> ReadClearKey(const AlgorithmRow& row,
                                    const base::Secret& material) {
  if (!IsKeyPair(row.kind)) {
    return SecretKey(row, material);
  }
  ASSIGN_OR_RETURN(const PkeyOwner key, ParsePkcs8(material));
  if (row.kind == KeyKind::kRsa) {
    return RsaKey(row, key.get());
  }
  const Curve& curve = *FindCurve(row.algorithm);
  return row.kind == KeyKind::kEc ? EcKey(curve, key.get())
                                  : EdwardsKey(curve, key.get());
}

}  // namespace hsm::token
