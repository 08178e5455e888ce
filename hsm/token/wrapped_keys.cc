// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/wrapped_keys.h"

#include <fmt/format.h>

#include <functional>
#include <string_view>
#include <utility>

#include "base/hash.h"
#include "hsm/algorithms.h"
#include "hsm/token/attributes.h"
#include "hsm/token/key_pairs.h"
#include "hsm/token/pair_test.h"
#include "hsm/token/quirks.h"
#include "hsm/token/session_object.h"
#include "hsm/token/wrapping_key.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

// The handle of the wrapping key was one, and is not any more.
bool IsStale(CK_RV rv) {
  return rv == CKR_UNWRAPPING_KEY_HANDLE_INVALID ||
         rv == CKR_WRAPPING_KEY_HANDLE_INVALID ||
         rv == CKR_KEY_HANDLE_INVALID || rv == CKR_OBJECT_HANDLE_INVALID;
}

Error Damaged(const KeyRef& key, std::string_view reason) {
  return {
      ErrorCode::kCorrupt,
      fmt::format("the wrapped key {} cannot be unwrapped by {}: {}",
                  base::HexEncode(key.locator.bytes),
                  base::HexEncode(key.wrapped->wrapping_key.bytes), reason)};
}

Error Another(const KeyRef& key) {
  return Damaged(key, "it is another key than the store says");
}

Error Destroyed() { return {ErrorCode::kNotFound, "the key was destroyed"}; }

Template UnwrappedTemplate(const KeyRef& key, const AlgorithmRow& row,
                           const AttributeSupport& support) {
  return IsKeyPair(row.kind) ? SessionPrivateTemplate(key, support)
                             : SessionSecretTemplate(key, support);
}

}  // namespace

std::size_t WrappedKeys::LocatorHash::operator()(const Locator& locator) const {
  return std::hash<std::string_view>()(base::AsText(locator.bytes));
}

WrappedKeys::Match WrappedKeys::Compare(const KeyRef& key) {
  const Known* const known = known_.Find(key.locator);
  if (known == nullptr) {
    return Match::kUnknown;
  }
  if (key.wrapped == nullptr || known->algorithm != key.algorithm) {
    return Match::kOther;
  }
  const WrappedKey& one = *known->wrapped;
  const WrappedKey& other = *key.wrapped;
  const bool same = one.wrapping_key == other.wrapping_key &&
                    one.check_value == other.check_value &&
                    one.bytes == other.bytes &&
                    one.public_key == other.public_key;
  return same ? Match::kSame : Match::kOther;
}

std::optional<Locator> WrappedKeys::Note(const KeyRef& key) {
  const auto gone = known_.Insert(
      key.locator, Known{key.locator, key.algorithm, key.wrapped});
  return gone ? std::optional(gone->locator) : std::nullopt;
}

base::Result<ObjectHandle> WrappedKeys::Unwrapped(const KeyRef& key) {
  if (const ObjectHandle* object = unwrapped_.Find(key.locator)) {
    return *object;
  }
  if (gone_.Find(key.locator) != nullptr) {
    return Destroyed();
  }
  ASSIGN_OR_RETURN(const ObjectHandle object, Unwrap(key));
  if (base::Status is_it = CheckIsTheKey(key, object); !is_it.has_value()) {
    RETURN_IF_ERROR(sessions().anchor().DestroyObject(object).Done());
    return is_it.error();
  }
  if (const auto gone = unwrapped_.Insert(key.locator, object)) {
    RETURN_IF_ERROR(sessions().anchor().DestroyObject(*gone).Done());
  }
  return object;
}

// Of key pairs, only such as the token was seen to unwrap and to use.
base::Status WrappedKeys::CheckCanHold(Algorithm algorithm) const {
  const AlgorithmRow* const row = FindAlgorithm(algorithm);
  if (row == nullptr || row->use == KeyUse::kWrap) {
    return Error{ErrorCode::kInvalidArgument, "no such key is wrapped"};
  }
  const Profile& profile = workshop_.profile;
  RETURN_IF_ERROR(CheckCanWrap(profile));
  RETURN_IF_ERROR(CheckHas(profile, row->algorithm));
  if (row->kind == KeyKind::kEdwards ||
      (row->kind == KeyKind::kRsa && !profile.unwraps_rsa) ||
      (row->kind == KeyKind::kEc && !profile.unwraps_ec)) {
    return Error{ErrorCode::kUnsupportedOperation,
                 "this token cannot unwrap keys of that kind"};
  }
  return {};
}

base::Result<ObjectHandle> WrappedKeys::Unwrap(const KeyRef& key) {
  const AlgorithmRow* const row = FindAlgorithm(key.algorithm);
  RETURN_IF_ERROR(CheckCanHold(key.algorithm));
  const Locator& by = key.wrapped->wrapping_key;
  const Mechanism mechanism{workshop_.profile.rfc5649};
  Answer<ObjectHandle> answer;
  for (int attempt = 0; attempt < 2; ++attempt) {
    ASSIGN_OR_RETURN(const ObjectHandle wrapping_key,
                     FindObject(workshop_, by));
    answer = sessions().anchor().UnwrapKey(
        mechanism, wrapping_key, key.wrapped->bytes,
        UnwrappedTemplate(key, *row, workshop_.profile.attributes));
    if (IsStale(answer.rv)) {
      workshop_.index.Remove(by);
    } else if (!WorthRetrying(answer.rv)) {
      break;
    }
  }
  if (RejectsWrapped(sessions().quirks(), answer.rv)) {
    return Damaged(key, RvText(answer.rv));
  }
  RETURN_IF_ERROR(answer.Done());
  return answer.value;
}

base::Status WrappedKeys::CheckIsTheKey(const KeyRef& key,
                                        ObjectHandle object) {
  const AlgorithmRow& row = *FindAlgorithm(key.algorithm);
  if (IsKeyPair(row.kind)) {
    return CheckIsThePair(key, row, object);
  }
  ASSIGN_OR_RETURN(const CheckValue check_value,
                   TestSecret(workshop_, key.algorithm, object));
  return check_value == key.wrapped->check_value ? base::Status()
                                                 : Another(key);
}

// An RSA key tells its public half; another has to show that it fits it.
base::Status WrappedKeys::CheckIsThePair(const KeyRef& key,
                                         const AlgorithmRow& row,
                                         ObjectHandle object) {
  const base::Bytes& known = key.wrapped->public_key;
  if (base::ThreadHasher().Sha256(known) != key.wrapped->check_value) {
    return Another(key);
  }
  if (row.kind == KeyKind::kRsa) {
    ASSIGN_OR_RETURN(const PublicKey told,
                     RsaPublicKey(sessions().anchor(), object, row.bits));
    ASSIGN_OR_RETURN(const base::Bytes der, told.Der());
    return der == known ? base::Status() : Another(key);
  }
  ASSIGN_OR_RETURN(const PublicKey public_key,
                   PublicKey::OfPeer(*FindCurve(key.algorithm), known));
  return TestPair(sessions(), workshop_.profile,
                  {.algorithm = key.algorithm,
                   .private_key = object,
                   .public_key = &public_key});
}

base::Result<base::Bytes> WrappedKeys::Wrap(const Locator& wrapping_key,
                                            ObjectHandle object) {
  Answer<base::Bytes> answer;
  for (int attempt = 0; attempt < 2; ++attempt) {
    ASSIGN_OR_RETURN(const ObjectHandle with,
                     FindObject(workshop_, wrapping_key));
    answer =
        sessions().anchor().WrapKey({workshop_.profile.rfc5649}, with, object);
    if (!IsStale(answer.rv)) {
      break;
    }
    workshop_.index.Remove(wrapping_key);
  }
  if (answer.rv == CKR_KEY_NOT_WRAPPABLE) {
    return Error{ErrorCode::kUnsupportedOperation,
                 "this token cannot wrap keys of that kind"};
  }
  return std::move(answer).Take();
}

base::Result<std::unique_ptr<SessionObject>> WrappedKeys::GenerateSecret(
    const KeyRef& key) {
  const bool is_mac = FindAlgorithm(key.algorithm)->kind == KeyKind::kHmac;
  if (!is_mac) {
    RETURN_IF_ERROR(workshop_.cipher.CheckSupported(key.algorithm));
  }
  Session& anchor = sessions().anchor();
  ASSIGN_OR_RETURN(
      const ObjectHandle made,
      anchor
          .GenerateKey(
              is_mac ? CKM_GENERIC_SECRET_KEY_GEN : CKM_AES_KEY_GEN,
              WrappableSecretTemplate(key, workshop_.profile.attributes))
          .Take());
  return std::make_unique<SessionObject>(anchor, made);
}

// An RSA key that tells the right public half need not work.
base::Result<CheckValue> WrappedKeys::CheckWorks(const KeyRef& key,
                                                 const AlgorithmRow& row,
                                                 ObjectHandle object) {
  if (!IsKeyPair(row.kind)) {
    return TestSecret(workshop_, key.algorithm, object);
  }
  RETURN_IF_ERROR(CheckIsThePair(key, row, object));
  if (row.kind == KeyKind::kRsa) {
    RETURN_IF_ERROR(CheckPair(workshop_, key.algorithm, object));
  }
  return key.wrapped->check_value;
}

base::Result<GenerateWrappedKeyReply> WrappedKeys::Generate(
    const GenerateWrappedKeyRequest& request) {
  RETURN_IF_ERROR(CheckCanHold(request.key.algorithm));
  if (!IsKeyPair(FindAlgorithm(request.key.algorithm)->kind)) {
    ASSIGN_OR_RETURN(auto object, GenerateSecret(request.key));
    return Keep(request, std::move(object), {});
  }
  ASSIGN_OR_RETURN(
      SessionPair pair,
      NewSessionPair(sessions().anchor(), request.key,
                     workshop_.profile.attributes, Extractable::kOnce));
  ASSIGN_OR_RETURN(base::Bytes public_key, pair.public_key.Der());
  return Keep(request, std::move(pair.private_half), std::move(public_key));
}

base::Result<GenerateWrappedKeyReply> WrappedKeys::Keep(
    const GenerateWrappedKeyRequest& request,
    std::unique_ptr<SessionObject> extractable, base::Bytes public_key) {
  if (request.key.wrapped != nullptr) {
    return Error{ErrorCode::kInvalidArgument, "the key is made already"};
  }
  GenerateWrappedKeyReply reply;
  ASSIGN_OR_RETURN(reply.wrapped,
                   Wrap(request.wrapping_key, extractable->handle()));
  // What can be wrapped must not stay.
  RETURN_IF_ERROR(extractable->Destroy());
  if (!public_key.empty()) {
    reply.check_value = base::ThreadHasher().Sha256(public_key);
    reply.public_key = std::move(public_key);
  }
  // It must come back, and work, before anybody relies on it.
  KeyRef key = request.key;
  key.wrapped = std::make_shared<const WrappedKey>(
      WrappedKey{.wrapping_key = request.wrapping_key,
                 .bytes = reply.wrapped,
                 .check_value = reply.check_value,
                 .public_key = reply.public_key});
  ASSIGN_OR_RETURN(const ObjectHandle object, Unwrap(key));
  SessionObject tested(sessions().anchor(), object);
  ASSIGN_OR_RETURN(reply.check_value,
                   CheckWorks(key, *FindAlgorithm(key.algorithm), object));
  RETURN_IF_ERROR(tested.Destroy());
  return reply;
}

base::Status WrappedKeys::CheckCanKeep(const KeepWrappedKeyRequest& request) {
  const KeyRef& key = request.key;
  if (key.wrapped == nullptr || key.locator == request.locator) {
    return Error{ErrorCode::kInvalidArgument,
                 key.wrapped == nullptr
                     ? "the key is no wrapped one"
                     : "the object needs a locator of its own"};
  }
  if (gone_.Find(key.locator) != nullptr) {
    return Destroyed();
  }
  const AlgorithmRow* const row = FindAlgorithm(key.algorithm);
  if (row == nullptr || !IsImported(row->use)) {
    return Error{ErrorCode::kInvalidArgument,
                 "a key that guards others stays as it is"};
  }
  RETURN_IF_ERROR(CheckCanHold(key.algorithm));
  return row->use == KeyUse::kEncrypt
             ? workshop_.cipher.CheckSupported(key.algorithm)
             : base::Status();
}

// The attributes of an object of the token are read under the lock, as
// CheckPair() does.
base::Status WrappedKeys::CheckWorksAs(const KeyRef& key,
                                       const AlgorithmRow& row,
                                       ObjectHandle object) {
  if (row.kind != KeyKind::kRsa) {
    return CheckIsTheKey(key, object);
  }
  ASSIGN_OR_RETURN(const CheckValue check_value,
                   CheckPair(workshop_, key.algorithm, object));
  return check_value == key.wrapped->check_value ? base::Status()
                                                 : Another(key);
}

// By way of the session, as imported keys: SoftHSM unwraps only what is
// modifiable, and what is to be refused is so before the token changes.
base::Status WrappedKeys::Keep(const KeepWrappedKeyRequest& request) {
  RETURN_IF_ERROR(CheckCanKeep(request));
  KeyRef key = request.key;
  key.locator = request.locator;  // Which the object has from the first.
  const AlgorithmRow& row = *FindAlgorithm(key.algorithm);
  ASSIGN_OR_RETURN(const ObjectHandle unwrapped, Unwrap(key));
  SessionObject tried(sessions().anchor(), unwrapped);
  RETURN_IF_ERROR(CheckWorksAs(key, row, unwrapped));
  ASSIGN_OR_RETURN(const ObjectHandle object,
                   Place(workshop_, key.locator, [&](Session& session) {
                     return session.CopyObject(unwrapped,
                                               PrivateCopyTemplate());
                   }));
  base::Status tested = CheckWorksAs(key, row, object);
  // No second key may stay.
  if (base::Status gone = tried.Destroy(); !gone.has_value()) {
    tested = std::move(gone);
  }
  return Conclude(workshop_, key.locator, object, tested);
}

base::Status WrappedKeys::Forget(const Locator& locator) {
  const auto is_it = [&](const Locator& each) { return each == locator; };
  known_.RemoveIf(is_it);
  return DestroyObjects(is_it);
}

base::Status WrappedKeys::ForgetObjects() {
  return DestroyObjects([](const Locator&) { return true; });
}

template <typename Condition>
base::Status WrappedKeys::DestroyObjects(Condition condition) {
  base::Status status;
  for (const ObjectHandle object : unwrapped_.RemoveIf(condition)) {
    const auto answer = sessions().anchor().DestroyObject(object);
    if (!answer.ok() && answer.rv != CKR_OBJECT_HANDLE_INVALID) {
      status = answer.Done();
    }
  }
  return status;
}

}  // namespace hsm::token
