// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/key.h"

#include <openssl/core_names.h>

#include <array>
#include <utility>

#include "pkcs11/public_key.h"

namespace pkcs11::module {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::uint8_t kOctetString = 0x04;

Error NotThisKind() {
  return {ErrorCode::kCorrupt,
          "the server's public key is not of the key's spec"};
}

base::Result<base::Bytes> Number(const EVP_PKEY* key, const char* name) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &raw) != 1) {
    return NotThisKind();
  }
  const BignumOwner number(raw);
  base::Bytes bytes(static_cast<std::size_t>(BN_num_bytes(number.get())));
  BN_bn2bin(number.get(), bytes.data());
  return bytes;
}

// The DER OCTET STRING around the encoded point, as PKCS#11 wants CKA_EC_POINT.
base::Result<base::Bytes> Point(const EVP_PKEY* key) {
  std::array<unsigned char, 256> raw{};
  std::size_t size = 0;
  if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, raw.data(),
                                      raw.size(), &size) != 1) {
    return NotThisKind();
  }
  base::Bytes der = {kOctetString};
  if (size >= 0x80) {
    der.push_back(0x81);
  }
  der.push_back(static_cast<std::uint8_t>(size));
  der.insert(der.end(), raw.begin(),
             raw.begin() + static_cast<std::ptrdiff_t>(size));
  return der;
}

bool IsOn(const EVP_PKEY* key, const Curve& curve) {
  if (curve.hash == nullptr) {
    return EVP_PKEY_is_a(key, curve.group) == 1;
  }
  std::array<char, 64> group{};
  return EVP_PKEY_is_a(key, "EC") == 1 &&
         EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) ==
             1 &&
         std::string_view(group.data()) == curve.group;
}

}  // namespace

base::Status SetPublicKey(base::Bytes spki, OSSL_LIB_CTX* library, Key& key) {
  const QuietQueue quiet;
  PkeyOwner parsed = DecodeSpki(spki, library);
  if (parsed == nullptr) {
    return NotThisKind();
  }
  if (key.spec->curve != nullptr) {
    if (!IsOn(parsed.get(), *key.spec->curve)) {
      return NotThisKind();
    }
    ASSIGN_OR_RETURN(key.point, Point(parsed.get()));
  } else {
    if (EVP_PKEY_is_a(parsed.get(), "RSA") != 1 ||
        static_cast<CK_ULONG>(EVP_PKEY_get_bits(parsed.get())) !=
            key.spec->bits) {
      return NotThisKind();
    }
    ASSIGN_OR_RETURN(key.modulus, Number(parsed.get(), OSSL_PKEY_PARAM_RSA_N));
    ASSIGN_OR_RETURN(key.exponent, Number(parsed.get(), OSSL_PKEY_PARAM_RSA_E));
  }
  key.spki = std::move(spki);
  key.public_key = std::move(parsed);
  return {};
}

}  // namespace pkcs11::module
