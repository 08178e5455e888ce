// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/key_pairs.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/hash.h"
#include "hsm/algorithms.h"
#include "hsm/token/attributes.h"
#include "hsm/token/pair_test.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

base::Result<const AlgorithmRow*> PairRow(Algorithm algorithm) {
  const AlgorithmRow* row = FindAlgorithm(algorithm);
  if (row == nullptr || !IsKeyPair(row->kind)) {
    return Error{ErrorCode::kInvalidArgument, "the algorithm has no key pairs"};
  }
  return row;
}

CK_MECHANISM_TYPE GenerationOf(KeyKind kind) {
  return kind == KeyKind::kRsa       ? CKM_RSA_PKCS_KEY_PAIR_GEN
         : kind == KeyKind::kEdwards ? CKM_EC_EDWARDS_KEY_PAIR_GEN
                                     : CKM_EC_KEY_PAIR_GEN;
}

}  // namespace

// Imported pairs have whatever exponent they were made with; some tokens do not
// tell that of a private key, but then they made it.
base::Result<PublicKey> RsaPublicKey(Session& session, ObjectHandle object,
                                     int bits) {
  ASSIGN_OR_RETURN(const base::Bytes modulus,
                   session.ReadAttribute(object, CKA_MODULUS).Take());
  const auto told = session.ReadAttribute(object, CKA_PUBLIC_EXPONENT);
  const base::ByteView exponent = told.ok() && !told.value.empty()
                                      ? base::ByteView(told.value)
                                      : base::ByteView(kPublicExponent);
  ASSIGN_OR_RETURN(PublicKey key, PublicKey::OfRsa(modulus, exponent));
  if (key.bits() != bits) {
    return Error{
        ErrorCode::kCorrupt,
        fmt::format("an RSA key of {} bits, not {}", key.bits(), bits)};
  }
  return key;
}

namespace {

base::Result<PublicKey> PublicKeyOf(Session& session, const AlgorithmRow& row,
                                    ObjectHandle object) {
  if (row.kind == KeyKind::kRsa) {
    return RsaPublicKey(session, object, row.bits);
  }
  ASSIGN_OR_RETURN(const base::Bytes point,
                   session.ReadAttribute(object, CKA_EC_POINT).Take());
  return PublicKey::OfPoint(*FindCurve(row.algorithm), point);
}

}  // namespace

base::Result<SessionPair> NewSessionPair(Session& session, const KeyRef& key,
                                         const AttributeSupport& support,
                                         Extractable extractable) {
  ASSIGN_OR_RETURN(const AlgorithmRow* const row, PairRow(key.algorithm));
  Template attributes = SessionPrivateTemplate(key, support);
  attributes.Set(CKA_EXTRACTABLE, extractable == Extractable::kOnce);
  ASSIGN_OR_RETURN(const PairHandles made,
                   session
                       .GenerateKeyPair(GenerationOf(row->kind),
                                        PublicTemplate(key), attributes)
                       .Take());
  auto public_half = std::make_unique<SessionObject>(session, made.public_key);
  auto private_half =
      std::make_unique<SessionObject>(session, made.private_key);
  ASSIGN_OR_RETURN(PublicKey public_key,
                   PublicKeyOf(session, *row, made.public_key));
  return SessionPair{.public_half = std::move(public_half),
                     .private_half = std::move(private_half),
                     .public_key = std::move(public_key)};
}

namespace {

// A private key on the token, and what it was told of its public key.
struct MadePair {
  ObjectHandle private_key;
  base::Result<PublicKey> public_key;
};

base::Result<MadePair> MakeByCopy(Workshop& workshop, const KeyRef& key) {
  ASSIGN_OR_RETURN(SessionPair pair,
                   NewSessionPair(workshop.connection.sessions().anchor(), key,
                                  workshop.profile.attributes));
  ASSIGN_OR_RETURN(const ObjectHandle private_key,
                   Place(workshop, key.locator, [&](Session& session) {
                     return session.CopyObject(pair.private_half->handle(),
                                               PrivateCopyTemplate());
                   }));
  MadePair made{.private_key = private_key,
                .public_key = std::move(pair.public_key)};
  // No second private key may stay.
  if (const auto gone = pair.private_half->Destroy(); !gone.has_value()) {
    made.public_key = gone.error();
  }
  return made;
}

base::Result<MadePair> MakeInPlace(Workshop& workshop, const AlgorithmRow& row,
                                   const KeyRef& key) {
  Session& anchor = workshop.connection.sessions().anchor();
  std::unique_ptr<SessionObject> public_half;
  ASSIGN_OR_RETURN(const ObjectHandle private_key,
                   Place(workshop, key.locator, [&](Session& session) {
                     const auto made = session.GenerateKeyPair(
                         GenerationOf(row.kind), PublicTemplate(key),
                         PrivateTemplate(key, workshop.profile.attributes));
                     if (made.ok()) {
                       public_half = std::make_unique<SessionObject>(
                           anchor, made.value.public_key);
                     }
                     return Answer<ObjectHandle>{made.rv, made.function,
                                                 made.value.private_key};
                   }));
  return MadePair{
      .private_key = private_key,
      .public_key = PublicKeyOf(anchor, row, public_half->handle())};
}

// The SubjectPublicKeyInfo of a pair that works.
base::Result<base::Bytes> Tested(Workshop& workshop, Algorithm algorithm,
                                 const MadePair& made) {
  if (!made.public_key.has_value()) {
    return made.public_key.error();
  }
  RETURN_IF_ERROR(TestPair(workshop.connection.sessions(), workshop.profile,
                           {.algorithm = algorithm,
                            .private_key = made.private_key,
                            .public_key = &*made.public_key}));
  return made.public_key->Der();
}

}  // namespace

base::Result<base::Bytes> MakeKeyPair(Workshop workshop, const KeyRef& key) {
  ASSIGN_OR_RETURN(const AlgorithmRow* const row, PairRow(key.algorithm));
  RETURN_IF_ERROR(CheckHas(workshop.profile, key.algorithm));
  ASSIGN_OR_RETURN(const MadePair made, row->kind == KeyKind::kRsa
                                            ? MakeByCopy(workshop, key)
                                            : MakeInPlace(workshop, *row, key));
  auto der = Tested(workshop, key.algorithm, made);
  RETURN_IF_ERROR(
      Conclude(workshop, key.locator, made.private_key,
               der.has_value() ? base::Status() : base::Status(der.error())));
  return der;
}

base::Result<CheckValue> CheckPair(Workshop workshop, Algorithm algorithm,
                                   ObjectHandle object) {
  ASSIGN_OR_RETURN(const AlgorithmRow* const row, PairRow(algorithm));
  Sessions& sessions = workshop.connection.sessions();
  Pair pair{.algorithm = algorithm, .private_key = object, .public_key = {}};
  if (row->kind != KeyKind::kRsa) {
    RETURN_IF_ERROR(TestPair(sessions, workshop.profile, pair));
    return CheckValue{};
  }
  const auto read = [&]() -> base::Result<PublicKey> {
    ASSIGN_OR_RETURN(const auto hold, workshop.connection.lock().Take());
    return RsaPublicKey(sessions.anchor(), object, row->bits);
  };
  ASSIGN_OR_RETURN(const PublicKey public_key, read());
  pair.public_key = &public_key;
  RETURN_IF_ERROR(TestPair(sessions, workshop.profile, pair));
  ASSIGN_OR_RETURN(const base::Bytes der, public_key.Der());
  return base::ThreadHasher().Sha256(der);
}

}  // namespace hsm::token
