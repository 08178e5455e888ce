// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/import.h"

#include <optional>
#include <utility>

#include "base/hash.h"
#include "hsm/token/attributes.h"
#include "hsm/token/key_pairs.h"
#include "hsm/token/pair_test.h"
#include "hsm/token/quirks.h"
#include "hsm/token/recover_point.h"
#include "hsm/token/session_object.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kSemiblock = 8;

Error Wrong() { return {ErrorCode::kInvalidCiphertext, ""}; }

// Material that does not work is wrong material; a token that does not is one.
template <typename T>
base::Result<T> OrWrong(base::Result<T> result) {
  if (!result.has_value() && !IsOfToken(result.error().code)) {
    return Wrong();
  }
  return result;
}

// What the steps of one import work on.
struct Import {
  Workshop& workshop;
  const KeyRef& key;
  const AlgorithmRow& row;
  Source& source;

  Sessions& sessions() const { return workshop.connection.sessions(); }
  const AttributeSupport& support() const {
    return workshop.profile.attributes;
  }
};

// A session object of the material, and what there is to know of it.
struct Trial {
  std::unique_ptr<SessionObject> object;
  CheckValue check_value{};             // Of secrets.
  std::optional<PublicKey> public_key;  // Of pairs.
};

base::Result<std::unique_ptr<SessionObject>> MakeInSession(
    const Import& import, Template attributes) {
  Session& anchor = import.sessions().anchor();
  const auto made = import.source.Make(anchor, std::move(attributes));
  if (RejectsWrapped(import.sessions().quirks(), made.rv)) {
    return Wrong();
  }
  RETURN_IF_ERROR(made.Done());
  return std::make_unique<SessionObject>(anchor, made.value);
}

// A token need not tell how long a secret is that it unwrapped (SoftHSM says
// 0), nor refuse one that is too long. What a key that never leaves the token
// makes of it tells the length, to a multiple of 8; the self-test finds an AES
// key and an HMAC key that are shorter than those.
base::Status CheckLength(const Import& import) {
  if (import.source.clear() != nullptr) {
    return {};  // ReadClearKey has.
  }
  const CK_MECHANISM_TYPE mechanism = import.workshop.profile.rfc5649;
  Session& anchor = import.sessions().anchor();
  ASSIGN_OR_RETURN(
      const ObjectHandle made,
      anchor
          .GenerateKey(CKM_AES_KEY_GEN,
                       MeasuringTemplate(mechanism, import.support()))
          .Take());
  const SessionObject with(anchor, made);
  ASSIGN_OR_RETURN(const auto secret,
                   MakeInSession(import, MeasuredTemplate()));
  auto wrapped = anchor.WrapKey({mechanism}, with.handle(), secret->handle());
  // SoftHSM does not wrap a secret of no bytes.
  if (wrapped.rv == CKR_BUFFER_TOO_SMALL ||
      wrapped.rv == CKR_KEY_NOT_WRAPPABLE ||
      RejectsWrapped(import.sessions().quirks(), wrapped.rv)) {
    return Wrong();
  }
  ASSIGN_OR_RETURN(const base::Bytes bytes, std::move(wrapped).Take());
  const SizeRange sizes = ImportedSize(import.key.algorithm);
  const std::size_t least =
      (sizes.min + kSemiblock - 1) / kSemiblock * kSemiblock;
  return bytes.size() >= least + kSemiblock &&
                 bytes.size() <= sizes.max + kSemiblock
             ? base::Status()
             : Wrong();
}

base::Result<Trial> TrySecret(const Import& import) {
  RETURN_IF_ERROR(CheckLength(import));
  Trial trial;
  ASSIGN_OR_RETURN(trial.object,
                   MakeInSession(import, SessionSecretTemplate(
                                             import.key, import.support())));
  ASSIGN_OR_RETURN(trial.check_value,
                   OrWrong(TestSecret(import.workshop, import.key.algorithm,
                                      trial.object->handle())));
  return trial;
}

// The algorithm that signs with the same keys: only a signature tells the
// public key.
Algorithm SigningOf(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kP256Agree:
      return Algorithm::kP256Sign;
    case Algorithm::kP384Agree:
      return Algorithm::kP384Sign;
    case Algorithm::kP521Agree:
      return Algorithm::kP521Sign;
    default:
      return algorithm;
  }
}

base::Result<PublicKey> EcKeyOf(const Import& import,
                                const SessionObject& object) {
  Session& anchor = import.sessions().anchor();
  const Curve& curve = *FindCurve(import.key.algorithm);
  ASSIGN_OR_RETURN(const base::Bytes parameters,
                   anchor.ReadAttribute(object.handle(), CKA_EC_PARAMS).Take());
  if (base::HexEncode(parameters) != curve.oid) {
    return Wrong();
  }
  const KeyRef signing{.locator = import.key.locator,
                       .algorithm = SigningOf(import.key.algorithm)};
  if (signing.algorithm == import.key.algorithm) {
    return RecoverPublicKey(import.sessions(), signing.algorithm,
                            object.handle());
  }
  ASSIGN_OR_RETURN(
      const auto twin,
      MakeInSession(import, SessionPrivateTemplate(signing, import.support())));
  return RecoverPublicKey(import.sessions(), signing.algorithm, twin->handle());
}

base::Result<PublicKey> PublicKeyOf(const Import& import,
                                    const SessionObject& object) {
  if (import.row.kind == KeyKind::kRsa) {
    return RsaPublicKey(import.sessions().anchor(), object.handle(),
                        import.row.bits);
  }
  return EcKeyOf(import, object);
}

base::Status TestHalves(const Import& import, ObjectHandle object,
                        const PublicKey& public_key) {
  return TestPair(import.sessions(), import.workshop.profile,
                  {.algorithm = import.key.algorithm,
                   .private_key = object,
                   .public_key = &public_key});
}

base::Result<Trial> TryPair(const Import& import) {
  Trial trial;
  ASSIGN_OR_RETURN(trial.object,
                   MakeInSession(import, SessionPrivateTemplate(
                                             import.key, import.support())));
  const ClearKey* clear = import.source.clear();
  if (clear != nullptr) {
    trial.public_key = clear->public_key->Share();
  } else {
    ASSIGN_OR_RETURN(PublicKey found,
                     OrWrong(PublicKeyOf(import, *trial.object)));
    trial.public_key = std::move(found);
  }
  const base::Status tested =
      TestHalves(import, trial.object->handle(), *trial.public_key);
  if (!tested.has_value()) {
    return IsOfToken(tested.error().code) ? tested.error() : Wrong();
  }
  return trial;
}

base::Result<ObjectHandle> MakePermanent(const Import& import,
                                         const SessionObject& tried) {
  return Place(import.workshop, import.key.locator, [&](Session& session) {
    if (import.source.clear() == nullptr) {
      return session.CopyObject(tried.handle(), PrivateCopyTemplate());
    }
    return import.source.Make(
        session, IsKeyPair(import.row.kind)
                     ? PrivateTemplate(import.key, import.support())
                     : SecretTemplate(import.key, import.support()));
  });
}

// The token object is the one that was tried.
base::Result<ImportKeyReply> Tested(const Import& import, const Trial& trial,
                                    ObjectHandle object) {
  ImportKeyReply reply;
  if (!IsKeyPair(import.row.kind)) {
    ASSIGN_OR_RETURN(reply.check_value,
                     TestSecret(import.workshop, import.key.algorithm, object));
    if (reply.check_value != trial.check_value) {
      return Error{ErrorCode::kCorrupt, "it is not what was unwrapped"};
    }
    return reply;
  }
  RETURN_IF_ERROR(TestHalves(import, object, *trial.public_key));
  ASSIGN_OR_RETURN(reply.public_key, trial.public_key->Der());
  reply.check_value = base::ThreadHasher().Sha256(reply.public_key);
  return reply;
}

// As an object of the token.
base::Result<ImportKeyReply> KeepResident(const Import& import,
                                          const Trial& trial) {
  ASSIGN_OR_RETURN(const ObjectHandle object,
                   MakePermanent(import, *trial.object));
  auto reply = Tested(import, trial, object);
  // No second key may stay.
  if (const auto gone = trial.object->Destroy(); !gone.has_value()) {
    reply = gone.error();
  }
  RETURN_IF_ERROR(Conclude(
      import.workshop, import.key.locator, object,
      reply.has_value() ? base::Status() : base::Status(reply.error())));
  return reply;
}

// What may be wrapped, and do nothing else, for as long as that takes.
Template WrappableTemplate(const Import& import) {
  Template attributes =
      IsKeyPair(import.row.kind)
          ? SessionPrivateTemplate(import.key, import.support())
          : WrappableSecretTemplate(import.key, import.support());
  attributes.Remove(CKA_VALUE_LEN).Set(CKA_EXTRACTABLE, true);
  return attributes;
}

base::Result<ImportKeyReply> KeepWrapped(const Import& import,
                                         WrappedKeys& wrapped_keys,
                                         const Locator& wrapping_key,
                                         const Trial& trial) {
  base::Bytes public_key;
  if (trial.public_key) {
    ASSIGN_OR_RETURN(public_key, trial.public_key->Der());
  }
  RETURN_IF_ERROR(trial.object->Destroy());
  ASSIGN_OR_RETURN(auto extractable,
                   MakeInSession(import, WrappableTemplate(import)));
  ASSIGN_OR_RETURN(
      GenerateWrappedKeyReply kept,
      wrapped_keys.Keep({.key = import.key, .wrapping_key = wrapping_key},
                        std::move(extractable), std::move(public_key)));
  if (!trial.public_key && kept.check_value != trial.check_value) {
    return Error{ErrorCode::kCorrupt, "it is not what was unwrapped"};
  }
  return ImportKeyReply{.check_value = kept.check_value,
                        .public_key = std::move(kept.public_key),
                        .wrapped = std::move(kept.wrapped)};
}

base::Status CheckRequest(Workshop& workshop, const ImportKeyRequest& request,
                          ImportRoute route) {
  if (request.strict && route != ImportRoute::kInside) {
    return Error{ErrorCode::kUnsupportedOperation,
                 "this token cannot unwrap such a key inside by that "
                 "algorithm, and import.strict_boundary is set"};
  }
  const KeyUse use = FindAlgorithm(request.key.algorithm)->use;
  return use == KeyUse::kEncrypt
             ? workshop.cipher.CheckSupported(request.key.algorithm)
             : base::Status();
}

}  // namespace

base::Result<ImportKeyReply> ImportKey(Workshop workshop,
                                       WrappedKeys& wrapped_keys,
                                       ObjectHandle wrapping_key,
                                       const ImportKeyRequest& request) {
  const AlgorithmRow* row = FindAlgorithm(request.key.algorithm);
  if (row == nullptr || !IsImported(row->use)) {
    return Error{ErrorCode::kInvalidArgument, "no such key is imported"};
  }
  RETURN_IF_ERROR(CheckHas(workshop.profile, request.key.algorithm));
  const ImportRoute route = RouteOf(workshop.profile, request.wrapping, *row);
  RETURN_IF_ERROR(CheckRequest(workshop, request, route));
  const auto& stored_by = request.store_wrapping_key;
  if (stored_by) {
    RETURN_IF_ERROR(wrapped_keys.CheckCanHold(request.key.algorithm));
    RETURN_IF_ERROR(FindObject(workshop, *stored_by));
  }
  ASSIGN_OR_RETURN(const auto source,
                   OpenSource(workshop, wrapping_key, request));
  const Import import{
      .workshop = workshop, .key = request.key, .row = *row, .source = *source};
  ASSIGN_OR_RETURN(const Trial trial,
                   IsKeyPair(row->kind) ? TryPair(import) : TrySecret(import));
  ASSIGN_OR_RETURN(ImportKeyReply reply,
                   stored_by
                       ? KeepWrapped(import, wrapped_keys, *stored_by, trial)
                       : KeepResident(import, trial));
  reply.route = route;
  return reply;
}

}  // namespace hsm::token
