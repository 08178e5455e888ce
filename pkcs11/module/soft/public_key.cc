// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/soft/public_key.h"

#include <openssl/core_names.h>

#include "pkcs11/public_key.h"

namespace pkcs11::module {
namespace {

// More than 4096 bits is of no spec.
constexpr std::size_t kMaxModulusBytes = 512;
constexpr std::uint8_t kOctetString = 0x04;
constexpr std::uint8_t kOneLengthByte = 0x81;

Failure NoKey() {
  return Failure(CKR_ATTRIBUTE_VALUE_INVALID, "the public key is none");
}

PkeyOwner KeyOf(const char* type, OSSL_PARAM_BLD* builder,
                OSSL_LIB_CTX* library) {
  const ParamsOwner params(OSSL_PARAM_BLD_to_param(builder));
  const PkeyContext context = MakerOf(type, library);
  EVP_PKEY* key = nullptr;
  if (params == nullptr || context == nullptr ||
      EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY,
                        params.get()) != 1) {
    return nullptr;
  }
  return PkeyOwner(key);
}

bool IsPoint(const Curve& curve, base::ByteView bytes) {
  return curve.hash == nullptr ? bytes.size() == curve.size
                               : bytes.size() == 1 + curve.size ||
                                     bytes.size() == 1 + 2 * curve.size;
}

// What is in an OCTET STRING; else the same again.
base::ByteView Unwrapped(base::ByteView der) {
  if (der.size() > 2 && der[0] == kOctetString && der[1] == der.size() - 2) {
    return der.subspan(2);
  }
  if (der.size() > 3 && der[0] == kOctetString && der[1] == kOneLengthByte &&
      der[2] == der.size() - 3) {
    return der.subspan(3);
  }
  return der;
}

}  // namespace

Answer<PkeyOwner> RsaPublicKey(base::ByteView modulus, base::ByteView exponent,
                               OSSL_LIB_CTX* library) {
  if (modulus.size() > kMaxModulusBytes + 1 ||
      exponent.size() > kMaxModulusBytes) {
    return Failure(CKR_KEY_SIZE_RANGE);
  }
  const QuietQueue quiet;
  const BignumOwner n(
      BN_bin2bn(modulus.data(), static_cast<int>(modulus.size()), nullptr));
  const BignumOwner e(
      BN_bin2bn(exponent.data(), static_cast<int>(exponent.size()), nullptr));
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  // OpenSSL does not mind an exponent with which everything is its own
  // signature.
  if (n == nullptr || e == nullptr || builder == nullptr ||
      BN_is_odd(n.get()) != 1 || BN_is_odd(e.get()) != 1 ||
      BN_is_one(e.get()) == 1 || BN_cmp(e.get(), n.get()) >= 0 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) !=
          1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) !=
          1) {
    return NoKey();
  }
  PkeyOwner key = KeyOf("RSA", builder.get(), library);
  if (key == nullptr) {
    return NoKey();
  }
  return key;
}

Answer<PkeyOwner> PublicKeyOfPoint(const Curve& curve, base::ByteView point,
                                   OSSL_LIB_CTX* library) {
  const QuietQueue quiet;
  const base::ByteView raw = IsPoint(curve, point) ? point : Unwrapped(point);
  if (!IsPoint(curve, raw)) {
    return NoKey();
  }
  const bool edwards = curve.hash == nullptr;
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (builder == nullptr ||
      (!edwards &&
       OSSL_PARAM_BLD_push_utf8_string(
           builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.group, 0) != 1) ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY,
                                       raw.data(), raw.size()) != 1) {
    return NoKey();
  }
  PkeyOwner key = KeyOf(edwards ? curve.group : "EC", builder.get(), library);
  // Also where the point is not on the curve. EVP_PKEY_public_check() would ask
  // the host's engine, and has nothing to add: the point at infinity is of
  // another size, and all groups are of prime order.
  if (key == nullptr) {
    return NoKey();
  }
  return key;
}

}  // namespace pkcs11::module
