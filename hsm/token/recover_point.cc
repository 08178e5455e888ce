// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/recover_point.h"

#include <openssl/err.h>
#include <openssl/objects.h>

#include <array>
#include <optional>
#include <utility>

#include "base/random.h"
#include "hsm/token/signatures.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kDigestSize = 32;

struct Signed {
  std::array<std::uint8_t, kDigestSize> digest{};
  base::Bytes signature;  // DER.
};

base::Result<Signed> SignSomething(Sessions& sessions, Algorithm algorithm,
                                   ObjectHandle object) {
  Signed made;
  base::RandomBytes(made.digest);
  SignRequest request;
  request.key.algorithm = algorithm;
  request.scheme = SignatureScheme::kEcdsa;
  request.message = base::Secret::CopyOf(made.digest);
  ASSIGN_OR_RETURN(made.signature, Sign(sessions, object, request));
  return made;
}

bool Verifies(const PublicKey& key, const Signed& made) {
  return key.Verifies(SignatureScheme::kEcdsa, Hash::kSha256, made.digest,
                      made.signature);
}

// What is computed with: nothing in here is secret.
struct Arithmetic {
  const Curve& curve;
  GroupOwner group;
  BignumContext context;
  EcdsaSignature signature;
  BignumOwner minus_e_by_r;  // -e / r and
  BignumOwner s_by_r;        // s / r, modulo the order.

  bool Start(const Signed& made) {
    const unsigned char* at = made.signature.data();
    signature.reset(
        d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(made.signature.size())));
    BignumOwner e(BN_bin2bn(made.digest.data(),
                            static_cast<int>(made.digest.size()), nullptr));
    minus_e_by_r.reset(BN_new());
    s_by_r.reset(BN_new());
    if (group == nullptr || context == nullptr || signature == nullptr ||
        e == nullptr || minus_e_by_r == nullptr || s_by_r == nullptr) {
      return false;
    }
    const BIGNUM* order = EC_GROUP_get0_order(group.get());
    const BignumOwner inverse(BN_mod_inverse(
        nullptr, ECDSA_SIG_get0_r(signature.get()), order, context.get()));
    BN_set_negative(e.get(), 1);
    return inverse != nullptr &&
           BN_mod_mul(s_by_r.get(), ECDSA_SIG_get0_s(signature.get()),
                      inverse.get(), order, context.get()) == 1 &&
           BN_nnmod(e.get(), e.get(), order, context.get()) == 1 &&
           BN_mod_mul(minus_e_by_r.get(), e.get(), inverse.get(), order,
                      context.get()) == 1;
  }

  // The public key, if the point R of the signature is the one with this x and
  // this parity of y: (s R - e G) / r.
  std::optional<PublicKey> Candidate(const BIGNUM* x, int odd) {
    const PointOwner r(EC_POINT_new(group.get()));
    const PointOwner q(EC_POINT_new(group.get()));
    base::Bytes point(1 + 2 * curve.size);
    const bool made =
        r != nullptr && q != nullptr &&
        EC_POINT_set_compressed_coordinates(group.get(), r.get(), x, odd,
                                            context.get()) == 1 &&
        EC_POINT_mul(group.get(), q.get(), minus_e_by_r.get(), r.get(),
                     s_by_r.get(), context.get()) == 1 &&
        EC_POINT_point2oct(group.get(), q.get(), POINT_CONVERSION_UNCOMPRESSED,
                           point.data(), point.size(),
                           context.get()) == point.size();
    ERR_clear_error();
    if (!made) {
      return std::nullopt;
    }
    auto key = PublicKey::OfPoint(curve, point);
    return key.has_value() ? std::optional<PublicKey>(*std::move(key))
                           : std::nullopt;
  }
};

}  // namespace

base::Result<PublicKey> RecoverPublicKey(Sessions& sessions,
                                         Algorithm algorithm,
                                         ObjectHandle object) {
  const Curve* curve = FindCurve(algorithm);
  if (curve == nullptr) {
    return Error{ErrorCode::kInvalidArgument, "the key is on no curve"};
  }
  ASSIGN_OR_RETURN(const Signed first,
                   SignSomething(sessions, algorithm, object));
  ASSIGN_OR_RETURN(const Signed second,
                   SignSomething(sessions, algorithm, object));
  Arithmetic arithmetic{
      .curve = *curve,
      .group = GroupOwner(EC_GROUP_new_by_curve_name(OBJ_sn2nid(curve->group))),
      .context = BignumContext(BN_CTX_new()),
      .signature = nullptr,
      .minus_e_by_r = nullptr,
      .s_by_r = nullptr};
  if (!arithmetic.Start(first)) {
    ERR_clear_error();
    return Error{ErrorCode::kInternal, "OpenSSL cannot recover a public key"};
  }
  // x is r, or r plus the order where that is still a coordinate.
  const BignumOwner x(BN_dup(ECDSA_SIG_get0_r(arithmetic.signature.get())));
  for (int wraps = 0; x != nullptr && wraps < 2; ++wraps) {
    for (const int odd : {0, 1}) {
      auto key = arithmetic.Candidate(x.get(), odd);
      if (key && Verifies(*key, first) && Verifies(*key, second)) {
        return *std::move(key);
      }
    }
    if (BN_add(x.get(), x.get(), EC_GROUP_get0_order(arithmetic.group.get())) !=
        1) {
      break;
    }
  }
  return Error{ErrorCode::kCorrupt, "the private key signs like none"};
}

}  // namespace hsm::token
