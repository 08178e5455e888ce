// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/transport_key.h"

#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"
#include "hsm/token/attributes.h"
#include "hsm/token/key_pairs.h"
#include "hsm/token/key_wrap.h"
#include "hsm/token/oaep_mechanism.h"
#include "hsm/token/session_object.h"
#include "hsm/token/wrapping_key.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kTransportLabel = "claviger transport key";
KeyRef TransportRef() {
  return {.locator = kTransportKey, .algorithm = Algorithm::kRsa3072Unwrap};
}

// What the test works on: a value that the test knows, wrapped.
struct Trial {
  Workshop& workshop;
  ObjectHandle transport_key;
  Hash hash;
  base::Bytes wrapped;
  CheckValue check_value;

  Session& anchor() const { return workshop.connection.sessions().anchor(); }
};

Error Gives(std::string what) {
  return {ErrorCode::kCorrupt,
          "the transport key gives wrapping keys away: " + std::move(what)};
}

// Somebody else who has the PIN may have made it, to have what comes.
base::Status CheckAttributes(const Trial& trial) {
  std::vector<std::pair<CK_ATTRIBUTE_TYPE, bool>> wanted = {
      {CKA_SENSITIVE, true},         {CKA_EXTRACTABLE, false},
      {CKA_ALWAYS_SENSITIVE, true},  {CKA_LOCAL, true},
      {CKA_NEVER_EXTRACTABLE, true}, {CKA_UNWRAP, true},
      {CKA_DECRYPT, false},          {CKA_MODIFIABLE, false}};
  if (trial.workshop.profile.attributes.copyable) {
    wanted.emplace_back(CKA_COPYABLE, false);
  }
  ASSIGN_OR_RETURN(const auto hold, trial.workshop.connection.lock().Take());
  for (const auto& [type, value] : wanted) {
    const auto read = trial.anchor().ReadAttribute(trial.transport_key, type);
    if (read.value !=
        base::Bytes{value ? CK_BBOOL{CK_TRUE} : CK_BBOOL{CK_FALSE}}) {
      return Gives("it was not made by this token for that");
    }
  }
  const auto copy = trial.anchor().CopyObject(
      trial.transport_key,
      Template().Set(CKA_TOKEN, false).Set(CKA_DECRYPT, true));
  if (copy.ok()) {
    const SessionObject decrypts(trial.anchor(), copy.value);
    return Gives("a copy of it can decrypt");
  }
  return {};
}

base::Status CheckDecryptsNothing(const Trial& trial) {
  const OaepMechanism oaep(*FindHash(trial.hash));
  for (const Mechanism& mechanism :
       {oaep.mechanism(), Mechanism{CKM_RSA_X_509}, Mechanism{CKM_RSA_PKCS}}) {
    ASSIGN_OR_RETURN(Session* const session,
                     trial.workshop.connection.sessions().Working());
    if (session->Decrypt(mechanism, trial.transport_key, trial.wrapped).ok()) {
      return Gives("it decrypts");
    }
  }
  return {};
}

// The wrapping key as we would unwrap it, but for one attribute: a template
// that lets ours through cannot have anything else against it.
base::Status CheckUnwrapsUnbent(const Trial& trial) {
  constexpr std::array kBends = {
      std::pair{CKA_SENSITIVE, false}, std::pair{CKA_WRAP_WITH_TRUSTED, false},
      std::pair{CKA_DECRYPT, true}, std::pair{CKA_ENCRYPT, true},
      std::pair{CKA_DERIVE, true}};
  const KeyRef twin{.locator = {}, .algorithm = Algorithm::kAesWrap};
  for (const auto& [type, value] : kBends) {
    // Some tokens have no keys that both wrap and decrypt.
    for (const bool wraps : {true, false}) {
      Template bent = TransportedTemplate(twin, trial.workshop.profile,
                                          /*shareable=*/true);
      bent.Set(CKA_TOKEN, false)
          .Set(CKA_WRAP, wraps)
          .Set(CKA_UNWRAP, wraps)
          .Set(type, value)
          .Remove(CKA_ALLOWED_MECHANISMS);
      const auto stolen =
          UnwrapTransported(trial.anchor(), trial.hash, trial.transport_key,
                            trial.wrapped, std::move(bent));
      if (stolen.ok()) {
        const SessionObject gone(trial.anchor(), stolen.value);
        return Gives("what it unwraps can be had, or decrypts");
      }
    }
  }
  return {};
}

// Neither readable nor such as any key may wrap, of any kind.
base::Status CheckUnwrapsSealed(const Trial& trial) {
  const OaepMechanism oaep(*FindHash(trial.hash));
  for (const bool sensitive : {false, true}) {
    for (const CK_ULONG type :
         {CK_ULONG{CKK_AES}, CK_ULONG{CKK_GENERIC_SECRET}}) {
      Template loose = ReadableTemplate(kAesKeySize);
      loose.Remove(CKA_VALUE_LEN)
          .Set(CKA_KEY_TYPE, type)
          .Set(CKA_SENSITIVE, sensitive)
          .Set(CKA_WRAP_WITH_TRUSTED, false);
      const auto stolen = trial.anchor().UnwrapKey(
          oaep.mechanism(), trial.transport_key, trial.wrapped, loose);
      if (stolen.ok()) {
        const SessionObject gone(trial.anchor(), stolen.value);
        return Gives("what it unwraps can be had");
      }
    }
  }
  return CheckUnwrapsUnbent(trial);
}

// The wrapping key, as it will be, bent to decrypt what it has wrapped. Some
// tokens unwrap only what is modifiable: CKA_ALLOWED_MECHANISMS has to hold.
base::Status CheckStaysSealed(const Trial& trial, ObjectHandle object) {
  Session& anchor = trial.anchor();
  (void)anchor.SetAttributes(
      object,
      Template().SetMechanisms({CKM_AES_ECB, CKM_AES_ECB_ENCRYPT_DATA}));
  (void)anchor.SetAttributes(object, Template().Set(CKA_DECRYPT, true));
  (void)anchor.SetAttributes(object, Template().Set(CKA_ENCRYPT, true));
  (void)anchor.SetAttributes(object, Template().Set(CKA_DERIVE, true));
  (void)anchor.SetAttributes(object,
                             Template().Set(CKA_WRAP_WITH_TRUSTED, false));
  // The next TestWrappingKey finds that.
  Template readable;
  readable.Set(CKA_SENSITIVE, false);
  (void)anchor.SetAttributes(
      object, Template().Set(CKA_UNWRAP_TEMPLATE, std::move(readable)));
  const std::array<std::uint8_t, 32> blocks{};
  ASSIGN_OR_RETURN(Session * session,
                   trial.workshop.connection.sessions().Working());
  const bool decrypts = session->Decrypt({CKM_AES_ECB}, object, blocks).ok();
  ASSIGN_OR_RETURN(session, trial.workshop.connection.sessions().Working());
  const bool encrypts = session->StartEncryption({CKM_AES_ECB}, object).ok();
  const auto derived =
      anchor.DeriveKey(object, blocks, ReadableTemplate(blocks.size()));
  if (derived.ok()) {
    const SessionObject gone(anchor, derived.value);
  }
  if (decrypts || encrypts || derived.ok()) {
    return Error{ErrorCode::kUnsupportedOperation,
                 "whoever has this token's PIN could have a wrapping key that "
                 "it receives decrypt what it has wrapped: it must not receive "
                 "any. Set placement = \"resident\""};
  }
  return {};
}

base::Status CheckUnwrapsRight(const Trial& trial) {
  const KeyRef twin{.locator = {}, .algorithm = Algorithm::kAesWrap};
  for (const bool shareable : {false, true}) {
    Template attributes =
        TransportedTemplate(twin, trial.workshop.profile, shareable);
    attributes.Set(CKA_TOKEN, false);
    ASSIGN_OR_RETURN(
        const ObjectHandle made,
        UnwrapTransported(trial.anchor(), trial.hash, trial.transport_key,
                          trial.wrapped, std::move(attributes))
            .Take());
    const SessionObject object(trial.anchor(), made);
    ASSIGN_OR_RETURN(const CheckValue check_value,
                     TestWrappingKey(trial.workshop, made));
    if (check_value != trial.check_value) {
      return Error{ErrorCode::kCorrupt,
                   "the transport key unwraps another key than was wrapped"};
    }
    RETURN_IF_ERROR(CheckStaysSealed(trial, made));
    ASSIGN_OR_RETURN(const CheckValue still,
                     TestWrappingKey(trial.workshop, made));
    if (still != check_value) {
      return Error{ErrorCode::kCorrupt, "an unwrapped key changed"};
    }
  }
  return {};
}

base::Result<PublicKey> PublicKeyOf(Workshop& workshop, ObjectHandle object) {
  ASSIGN_OR_RETURN(const auto hold, workshop.connection.lock().Take());
  return RsaPublicKey(workshop.connection.sessions().anchor(), object,
                      kTransportKeyBits);
}

base::Status TestTransportKey(Workshop& workshop, ObjectHandle object,
                              const PublicKey& public_key) {
  ASSIGN_OR_RETURN(const Hash hash, TransportHash(workshop.profile));
  std::array<std::uint8_t, kAesKeySize> known;
  base::RandomBytes(known);
  ASSIGN_OR_RETURN(base::Bytes wrapped, public_key.Encrypt(hash, known));
  ASSIGN_OR_RETURN(const CheckValue check_value, CheckValueOfWrapping(known));
  const Trial trial{.workshop = workshop,
                    .transport_key = object,
                    .hash = hash,
                    .wrapped = std::move(wrapped),
                    .check_value = check_value};
  RETURN_IF_ERROR(CheckAttributes(trial));
  RETURN_IF_ERROR(CheckDecryptsNothing(trial));
  RETURN_IF_ERROR(CheckUnwrapsSealed(trial));
  return CheckUnwrapsRight(trial);
}

base::Result<ObjectHandle> Search(Workshop& workshop) {
  ASSIGN_OR_RETURN(const auto hold, workshop.connection.lock().Take());
  return workshop.index.Search(hold, kTransportKey);
}

base::Result<base::Bytes> Tested(Workshop& workshop, ObjectHandle object) {
  ASSIGN_OR_RETURN(const PublicKey public_key, PublicKeyOf(workshop, object));
  RETURN_IF_ERROR(TestTransportKey(workshop, object, public_key));
  return public_key.Der();
}

// In place and under the lock, although it takes seconds: of what is copied to
// the token, SoftHSM does not let us say that it is not copyable.
base::Result<base::Bytes> Generate(Workshop& workshop) {
  Session& anchor = workshop.connection.sessions().anchor();
  std::unique_ptr<SessionObject> public_half;
  ASSIGN_OR_RETURN(
      const ObjectHandle object,
      Place(workshop, kTransportKey, [&](Session& session) {
        const auto made = session.GenerateKeyPair(
            CKM_RSA_PKCS_KEY_PAIR_GEN, PublicTemplate(TransportRef()),
            TransportKeyTemplate(workshop.profile.attributes));
        if (made.ok()) {
          public_half =
              std::make_unique<SessionObject>(anchor, made.value.public_key);
        }
        return Answer<ObjectHandle>{made.rv, made.function,
                                    made.value.private_key};
      }));
  auto der = Tested(workshop, object);
  const bool is_unfit =
      !der.has_value() && der.error().code == ErrorCode::kUnsupportedOperation;
  const Error reason = is_unfit ? der.error() : Error{};
  const base::Status concluded =
      Conclude(workshop, kTransportKey, object,
               der.has_value() ? base::Status() : base::Status(der.error()));
  if (is_unfit) {
    return reason;
  }
  RETURN_IF_ERROR(concluded);
  return der;
}

}  // namespace

base::Result<Hash> TransportHash(const Profile& profile) {
  RETURN_IF_ERROR(CheckCanWrap(profile));
  if (profile.unwraps_oaep_sha256) {
    return Hash::kSha256;
  }
  if (profile.unwraps_oaep_sha1) {
    return Hash::kSha1;
  }
  return Error{ErrorCode::kUnsupportedOperation,
               "this token unwraps no keys by RSAES-OAEP: it cannot receive a "
               "wrapping key"};
}

Template TransportKeyTemplate(const AttributeSupport& support) {
  // Whatever comes is a sensitive key that only trusted keys may wrap.
  Template unwrapped;
  unwrapped.Set(CKA_PRIVATE, true)
      .Set(CKA_SENSITIVE, true)
      .Set(CKA_WRAP_WITH_TRUSTED, true)
      .Set(CKA_ENCRYPT, false)
      .Set(CKA_DECRYPT, false)
      .Set(CKA_DERIVE, false);
  Template made = PrivateTemplate(TransportRef(), support);
  made.Set(CKA_LABEL, base::AsBytes(kTransportLabel))
      .Set(CKA_DECRYPT, false)
      .Set(CKA_UNWRAP_TEMPLATE, std::move(unwrapped));
  if (support.allowed_mechanisms) {
    made.SetMechanisms({CKM_RSA_PKCS_OAEP});
  }
  return made;
}

Template TransportedTemplate(const KeyRef& key, const Profile& profile,
                             bool shareable) {
  Template made =
      WrappingKeyTemplate(key, profile.rfc5649, profile.attributes, shareable);
  made.Remove(CKA_VALUE_LEN).Set(CKA_WRAP_WITH_TRUSTED, true);
  return made;
}

Answer<ObjectHandle> UnwrapTransported(Session& session, Hash hash,
                                       ObjectHandle transport_key,
                                       base::ByteView wrapped,
                                       Template attributes) {
  const OaepMechanism oaep(*FindHash(hash));
  auto made =
      session.UnwrapKey(oaep.mechanism(), transport_key, wrapped, attributes);
  if (made.rv == CKR_ATTRIBUTE_READ_ONLY ||
      made.rv == CKR_TEMPLATE_INCONSISTENT) {
    made = session.UnwrapKey(oaep.mechanism(), transport_key, wrapped,
                             attributes.Remove(CKA_MODIFIABLE));
  }
  return made;
}

base::Result<MakeTransportKeyReply> MakeTransportKey(Workshop workshop) {
  ASSIGN_OR_RETURN(const Hash hash, TransportHash(workshop.profile));
  const auto there = Search(workshop);
  if (there.has_value()) {
    auto der = Tested(workshop, *there);
    if (der.has_value()) {
      return MakeTransportKeyReply{.public_key = *std::move(der), .hash = hash};
    }
    if (der.error().code != ErrorCode::kCorrupt) {
      return der.error();
    }
    base::LogWarning("{}; it is destroyed and made anew", der.error().message);
    RETURN_IF_ERROR(DestroyKey(workshop, kTransportKey));
  } else if (there.error().code != ErrorCode::kNotFound) {
    return there.error();
  }
  ASSIGN_OR_RETURN(base::Bytes der, Generate(workshop));
  return MakeTransportKeyReply{.public_key = std::move(der), .hash = hash};
}

base::Result<ObjectHandle> FindTransportKey(Workshop& workshop) {
  const auto there = Search(workshop);
  if (!there.has_value() && there.error().code == ErrorCode::kNotFound) {
    return Error{ErrorCode::kNotFound,
                 "this token has no transport key: make one, have the source's "
                 "security officer trust it, and share the wrapping key anew"};
  }
  RETURN_IF_ERROR(there);
  RETURN_IF_ERROR(Tested(workshop, *there));
  return *there;
}

}  // namespace hsm::token
