// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/public_key.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <array>
#include <string>
#include <utility>

#include "hsm/token/hashes.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::uint8_t kUncompressed = 4;
constexpr std::uint8_t kOctetString = 4;

// Errors are told by return values; OpenSSL's queue would only grow.
struct QuietQueue {
  ~QuietQueue() { ERR_clear_error(); }
};

Error Failed(const char* what) {
  return {ErrorCode::kInternal, std::string("OpenSSL cannot ") + what};
}

base::Result<PkeyOwner> FromParams(const char* type, ParamBuilder& builder) {
  const Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  const PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (params == nullptr || context == nullptr ||
      EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY,
                        params.get()) != 1) {
    return Error{ErrorCode::kCorrupt, "the token's public key is none"};
  }
  return PkeyOwner(key);
}

// What is in a DER OCTET STRING of `size` bytes, or `value` itself if it has
// that size: tokens differ in the spelling of CKA_EC_POINT.
base::ByteView Unwrapped(base::ByteView value, std::size_t size) {
  const std::size_t head = size < 128 ? 2 : 3;
  if (value.size() == head + size && value[0] == kOctetString &&
      value[head - 1] == size && (head == 2 || value[1] == 0x81)) {
    return value.subspan(head);
  }
  return value;
}

bool IsNamed(const EVP_PKEY* key, const Curve& curve) {
  std::array<char, 64> name{};
  std::array<char, 64> encoding{};
  return EVP_PKEY_is_a(key, "EC") == 1 &&
         EVP_PKEY_get_group_name(key, name.data(), name.size(), nullptr) == 1 &&
         std::string_view(name.data()) == curve.group &&
         EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING,
                                        encoding.data(), encoding.size(),
                                        nullptr) == 1 &&
         std::string_view(encoding.data()) == OSSL_PKEY_EC_ENCODING_GROUP;
}

base::Result<BignumOwner> Coordinate(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1) {
    return Failed("read a point");
  }
  return BignumOwner(number);
}

bool SetPadding(EVP_PKEY_CTX* context, SignatureScheme scheme,
                const EVP_MD* digest) {
  if (EVP_PKEY_CTX_set_signature_md(context, digest) != 1) {
    return false;
  }
  if (scheme == SignatureScheme::kPss) {
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(context, digest) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) ==
               1;
  }
  return scheme == SignatureScheme::kEcdsa ||
         EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
}

}  // namespace

base::Result<PublicKey> PublicKey::OfRsa(base::ByteView modulus,
                                         base::ByteView exponent) {
  const QuietQueue quiet;
  const BignumOwner n(
      BN_bin2bn(modulus.data(), static_cast<int>(modulus.size()), nullptr));
  const BignumOwner e(
      BN_bin2bn(exponent.data(), static_cast<int>(exponent.size()), nullptr));
  ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (n == nullptr || e == nullptr || builder == nullptr ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) !=
          1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) !=
          1) {
    return Failed("build an RSA key");
  }
  ASSIGN_OR_RETURN(PkeyOwner key, FromParams("RSA", builder));
  return PublicKey(std::move(key));
}

base::Result<PublicKey> PublicKey::OfPoint(const Curve& curve,
                                           base::ByteView ec_point) {
  const QuietQueue quiet;
  if (&curve == &kEd25519) {
    const base::ByteView raw = Unwrapped(ec_point, curve.size);
    PkeyOwner key(EVP_PKEY_new_raw_public_key_ex(nullptr, curve.group, nullptr,
                                                 raw.data(), raw.size()));
    if (key == nullptr) {
      return Error{ErrorCode::kCorrupt, "the token's public key is none"};
    }
    return PublicKey(std::move(key));
  }
  const base::ByteView point = Unwrapped(ec_point, 1 + 2 * curve.size);
  ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (builder == nullptr ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                      curve.group, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY,
                                       point.data(), point.size()) != 1) {
    return Failed("build an elliptic curve key");
  }
  ASSIGN_OR_RETURN(PkeyOwner key, FromParams("EC", builder));
  return PublicKey(std::move(key));
}

base::Result<PublicKey> PublicKey::OfPeer(const Curve& curve,
                                          base::ByteView spki) {
  const QuietQueue quiet;
  const unsigned char* at = spki.data();
  PkeyOwner key(d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size())));
  if (key == nullptr || at != spki.data() + spki.size()) {
    return Error{ErrorCode::kInvalidArgument,
                 "the public key is no DER SubjectPublicKeyInfo"};
  }
  if (!IsNamed(key.get(), curve)) {
    return Error{ErrorCode::kInvalidArgument,
                 "the public key is not on the curve of the key"};
  }
  const PkeyContext context(
      EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  if (context == nullptr || EVP_PKEY_public_check(context.get()) != 1) {
    return Error{ErrorCode::kInvalidArgument,
                 "the public key is not a valid point of its curve"};
  }
  return PublicKey(std::move(key));
}

base::Result<PublicKey> PublicKey::NewPairOn(const Curve& curve) {
  const QuietQueue quiet;
  PkeyOwner key(EVP_EC_gen(curve.group));
  if (key == nullptr) {
    return Failed("make an elliptic curve key pair");
  }
  return PublicKey(std::move(key));
}

PublicKey PublicKey::Share() const {
  EVP_PKEY_up_ref(key_.get());
  return PublicKey(PkeyOwner(key_.get()));
}

base::Result<base::Bytes> PublicKey::Der() const {
  const QuietQueue quiet;
  const int size = i2d_PUBKEY(key_.get(), nullptr);
  base::Bytes der(static_cast<std::size_t>(size < 0 ? 0 : size));
  unsigned char* at = der.data();
  if (size <= 0 || i2d_PUBKEY(key_.get(), &at) != size) {
    return Failed("encode a public key");
  }
  return der;
}

base::Result<base::Bytes> PublicKey::Point(const Curve& curve) const {
  const QuietQueue quiet;
  ASSIGN_OR_RETURN(const BignumOwner x,
                   Coordinate(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X));
  ASSIGN_OR_RETURN(const BignumOwner y,
                   Coordinate(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y));
  base::Bytes point(1 + 2 * curve.size);
  point[0] = kUncompressed;
  const int size = static_cast<int>(curve.size);
  if (BN_bn2binpad(x.get(), &point[1], size) != size ||
      BN_bn2binpad(y.get(), &point[1 + curve.size], size) != size) {
    return Failed("write a point");
  }
  return point;
}

int PublicKey::bits() const { return EVP_PKEY_get_bits(key_.get()); }

bool PublicKey::Verifies(SignatureScheme scheme, Hash hash,
                         base::ByteView message,
                         base::ByteView signature) const {
  const QuietQueue quiet;
  if (scheme == SignatureScheme::kEd25519) {
    const DigestContext context(EVP_MD_CTX_new());
    return context != nullptr &&
           EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr,
                                key_.get()) == 1 &&
           EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                            message.data(), message.size()) == 1;
  }
  const HashRow* row = FindHash(hash);
  const PkeyContext context(
      EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
  return row != nullptr && context != nullptr &&
         EVP_PKEY_verify_init(context.get()) == 1 &&
         SetPadding(context.get(), scheme, row->evp()) &&
         EVP_PKEY_verify(context.get(), signature.data(), signature.size(),
                         message.data(), message.size()) == 1;
}

base::Result<base::Bytes> PublicKey::Encrypt(Hash hash,
                                             base::ByteView plaintext) const {
  const QuietQueue quiet;
  const HashRow* row = FindHash(hash);
  const PkeyContext context(
      EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
  base::Bytes ciphertext(
      static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())));
  std::size_t size = ciphertext.size();
  if (row == nullptr || context == nullptr ||
      EVP_PKEY_encrypt_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) !=
          1 ||
      EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), row->evp()) != 1 ||
      EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), row->evp()) != 1 ||
      EVP_PKEY_encrypt(context.get(), ciphertext.data(), &size,
                       plaintext.data(), plaintext.size()) != 1) {
    return Failed("encrypt by OAEP");
  }
  ciphertext.resize(size);
  return ciphertext;
}

base::Result<base::Secret> PublicKey::Agree(const PublicKey& other) const {
  const QuietQueue quiet;
  const PkeyContext context(
      EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
  std::size_t size = 0;
  if (context == nullptr || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), other.key_.get()) != 1 ||
      EVP_PKEY_derive(context.get(), nullptr, &size) != 1) {
    return Failed("agree on a secret");
  }
  base::Secret secret(size);
  if (EVP_PKEY_derive(context.get(), secret.Reveal().data(), &size) != 1) {
    return Failed("agree on a secret");
  }
  secret.Truncate(size);
  return secret;
}

base::Result<RsaNumbers> RsaNumbersOf(base::ByteView spki, int min_bits) {
  const QuietQueue quiet;
  const unsigned char* at = spki.data();
  const PkeyOwner key(d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size())));
  if (key == nullptr || at != spki.data() + spki.size()) {
    return Error{ErrorCode::kInvalidArgument,
                 "the public key is no DER SubjectPublicKeyInfo"};
  }
  if (EVP_PKEY_is_a(key.get(), "RSA") != 1 ||
      EVP_PKEY_get_bits(key.get()) < min_bits) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("the public key is not one of RSA with at least "
                             "{} bits",
                             min_bits)};
  }
  RsaNumbers numbers;
  for (const auto& [name, bytes] :
       {std::pair{OSSL_PKEY_PARAM_RSA_N, &numbers.modulus},
        std::pair{OSSL_PKEY_PARAM_RSA_E, &numbers.exponent}}) {
    ASSIGN_OR_RETURN(const BignumOwner number, Coordinate(key.get(), name));
    bytes->resize(static_cast<std::size_t>(BN_num_bytes(number.get())));
    BN_bn2bin(number.get(), bytes->data());
  }
  return numbers;
}

}  // namespace hsm::token
