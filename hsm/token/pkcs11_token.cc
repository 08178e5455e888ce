// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/pkcs11_token.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "base/log.h"
#include "hsm/token/agree.h"
#include "hsm/token/data_key_pair.h"
#include "hsm/token/import.h"
#include "hsm/token/key_pairs.h"
#include "hsm/token/list_keys.h"
#include "hsm/token/mac.h"
#include "hsm/token/public_key.h"
#include "hsm/token/rsa_decrypt.h"
#include "hsm/token/share_key.h"
#include "hsm/token/signatures.h"
#include "hsm/token/transport_key.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMaxRandom = 1024;
// How long a token that stayed full is taken to be.
constexpr std::chrono::seconds kFull{10};

// What a second try could not change.
bool IsFinal(ErrorCode code) {
  return code == ErrorCode::kInvalidCiphertext ||
         code == ErrorCode::kInvalidArgument ||
         code == ErrorCode::kHsmUnavailable;
}

// What a token says that has died or was taken away, among others.
bool MayBeOfToken(ErrorCode code) {
  return code == ErrorCode::kInternal || code == ErrorCode::kCorrupt ||
         code == ErrorCode::kNotFound;
}

template <typename T>
bool LacksMemory(const base::Result<T>& result) {
  return !result.has_value() &&
         result.error().code == ErrorCode::kLimitExceeded;
}

// Clients see this. What the token has said is logged.
Error IsFull() { return {ErrorCode::kLimitExceeded, "the token is full"}; }

}  // namespace

Capabilities CapabilitiesOf(const TokenIdentity& token,
                            const Profile& profile) {
  return {.token_label = token.label,
          .token_serial = token.serial,
          .manufacturer = token.manufacturer,
          .model = token.model,
          .algorithm = profile.algorithm,
          .notes = profile.notes};
}

Pkcs11Token::Pkcs11Token(std::unique_ptr<Connection> connection, Canary canary,
                         Profile profile, PinCheck pin,
                         const base::Clock& clock)
    : clock_(clock),
      connection_(std::move(connection)),
      profile_(std::move(profile)),
      canary_(std::move(canary)),
      pin_(std::move(pin)),
      index_(connection_->sessions()),
      cipher_(connection_->sessions(), clock, profile_),
      wrapped_(Here()) {}

base::Status Pkcs11Token::Start() {
  ASSIGN_OR_RETURN(const auto hold, connection_->lock().Take());
  return index_.Scan(hold);
}

template <typename Make>
auto Pkcs11Token::WithRoom(Make make) -> decltype(make()) {
  auto made = make();
  if (!LacksMemory(made)) {
    return made;
  }
  RETURN_IF_ERROR(MakeRoom());
  made = make();
  // What is there already is what the first attempt has begun.
  if (LacksMemory(made) ||
      (!made.has_value() && made.error().code == ErrorCode::kAlreadyExists)) {
    return IsFull();
  }
  return made;
}

template <typename Make>
auto Pkcs11Token::MakeNew(Make make) -> decltype(make()) {
  const bool is_full = clock_.Monotonic() < full_until_;
  auto made = is_full ? make() : WithRoom(std::move(make));
  if (!LacksMemory(made)) {
    return made;
  }
  if (is_full) {
    return IsFull();
  }
  full_until_ = clock_.Monotonic() + kFull;
  return made;
}

base::Status Pkcs11Token::MakeRoom() {
  const base::MonotonicTime now = clock_.Monotonic();
  if (now >= logged_until_) {
    base::LogWarning(
        "the token has no memory left (CKR_DEVICE_MEMORY): {} unwrapped keys "
        "and {} message keys are let go of",
        wrapped_.size(), cipher_.message_keys());
    logged_until_ = now + kFull;
  }
  base::Status unwrapped = wrapped_.ForgetObjects();
  RETURN_IF_ERROR(cipher_.ForgetMessageKeys());
  return unwrapped;
}

base::Result<ObjectHandle> Pkcs11Token::Find(const KeyRef& key) {
  return Alive(WithRoom([&] { return FindOnce(key); }));
}

base::Result<ObjectHandle> Pkcs11Token::FindOnce(const KeyRef& key) {
  if (key.wrapped != nullptr) {
    RETURN_IF_ERROR(Recognise(key));
    return wrapped_.Unwrapped(key);
  }
  if (wrapped_.Compare(key) != WrappedKeys::Match::kUnknown) {
    RETURN_IF_ERROR(Forget(key.locator));
  }
  Workshop here = Here();
  return FindObject(here, key.locator);
}

// What is remembered of an object of the token is so while the index knows it.
base::Status Pkcs11Token::Recognise(const KeyRef& key) {
  if (index_.Known(key.locator)) {
    return Error{ErrorCode::kInvalidArgument,
                 "a wrapped key has the locator of an object of the token"};
  }
  const WrappedKeys::Match match = wrapped_.Compare(key);
  if (match == WrappedKeys::Match::kSame) {
    return {};
  }
  if (match == WrappedKeys::Match::kOther) {
    RETURN_IF_ERROR(Forget(key.locator));
  }
  const auto gone = wrapped_.Note(key);
  return gone ? Forget(*gone) : base::Status();
}

base::Status Pkcs11Token::Forget(const Locator& locator) {
  index_.Remove(locator);
  gives_plaintext_.erase(locator);
  base::Status unwrapped = wrapped_.Forget(locator);
  RETURN_IF_ERROR(cipher_.Forget(locator));
  return unwrapped;
}

Error Pkcs11Token::Final(Error error) {
  if (error.code == ErrorCode::kInvalidCiphertext) {
    RETURN_IF_ERROR(canary_.Check());
  }
  return error;
}

template <typename T>
base::Result<T> Pkcs11Token::Alive(base::Result<T> result) {
  if (!result.has_value() && MayBeOfToken(result.error().code)) {
    RETURN_IF_ERROR(canary_.Check());
    RETURN_IF_ERROR(connection_->CheckPresent());
  }
  return result;
}

base::Status Pkcs11Token::CheckUse(const KeyRef& key, KeyUse use) const {
  const AlgorithmRow* row = FindAlgorithm(key.algorithm);
  if (row == nullptr || row->use != use) {
    return Error{ErrorCode::kInvalidArgument, "the key is not for that"};
  }
  RETURN_IF_ERROR(CheckHas(profile_, key.algorithm));
  return use == KeyUse::kEncrypt ? cipher_.CheckSupported(key.algorithm)
                                 : base::Status();
}

template <typename Use>
auto Pkcs11Token::WithKey(const KeyRef& key, Use use)
    -> decltype(use(ObjectHandle{})) {
  auto used = Try(key, use);
  if (LacksMemory(used)) {
    return Error{ErrorCode::kThrottled, "the token lacks memory"};
  }
  return used;
}

template <typename Use>
auto Pkcs11Token::Try(const KeyRef& key, Use& use)
    -> decltype(use(ObjectHandle{})) {
  ASSIGN_OR_RETURN(const ObjectHandle object, Find(key));
  auto first = use(object);
  if (first.has_value()) {
    return first;
  }
  if (IsFinal(first.error().code)) {
    return Final(std::move(first).error());
  }
  RETURN_IF_ERROR(canary_.Check());
  RETURN_IF_ERROR(LacksMemory(first) ? MakeRoom() : Forget(key.locator));
  ASSIGN_OR_RETURN(const ObjectHandle found_again, Find(key));
  auto second = use(found_again);
  if (second.has_value() || LacksMemory(second)) {
    return second;
  }
  if (IsFinal(second.error().code)) {
    return Final(std::move(second).error());
  }
  RETURN_IF_ERROR(connection_->CheckPresent());
  return Error{
      ErrorCode::kCorrupt,
      fmt::format("the token lives but its key object {} does not "
                  "work: {}",
                  base::HexEncode(key.locator.bytes), second.error().message)};
}

base::Result<Sealed> Pkcs11Token::Seal(const KeyRef& key, Counter counter,
                                       const Aad& aad,
                                       base::ByteView plaintext) {
  RETURN_IF_ERROR(CheckUse(key, KeyUse::kEncrypt));
  return WithKey(key, [&](ObjectHandle object) {
    return cipher_.Seal(key, object, counter, aad, plaintext);
  });
}

base::Result<base::Secret> Pkcs11Token::Open(const KeyRef& key, const Aad& aad,
                                             const Sealed& sealed) {
  RETURN_IF_ERROR(CheckUse(key, KeyUse::kEncrypt));
  return WithKey(key, [&](ObjectHandle object) {
    return cipher_.Open(key, object, aad, sealed);
  });
}

base::Status Pkcs11Token::CheckIsResidentWrappingKey(const KeyRef& key) const {
  RETURN_IF_ERROR(CheckUse(key, KeyUse::kWrap));
  return key.wrapped == nullptr
             ? base::Status()
             : Error{ErrorCode::kInvalidArgument, "a wrapping key is wrapped"};
}

base::Result<base::Secret> Pkcs11Token::Random(std::size_t size) {
  if (size == 0 || size > kMaxRandom) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{} random bytes, not 1 to {}", size, kMaxRandom)};
  }
  base::Secret bytes(size);
  ASSIGN_OR_RETURN(Session* const session, connection_->sessions().Working());
  RETURN_IF_ERROR(Alive(session->Random(bytes.Reveal()).Done()));
  return bytes;
}

base::Result<GenerateKeyReply> Pkcs11Token::Execute(
    const GenerateKeyRequest& request) {
  ASSIGN_OR_RETURN(const CheckValue check_value,
                   Alive(MakeNew([&] { return MakeKey(Here(), request); })));
  return GenerateKeyReply{check_value};
}

base::Result<Sealed> Pkcs11Token::Execute(const EncryptRequest& request) {
  return Seal(request.key, request.counter, request.aad,
              request.plaintext.Reveal());
}

base::Result<PlaintextReply> Pkcs11Token::Execute(
    const DecryptRequest& request) {
  ASSIGN_OR_RETURN(base::Secret plaintext,
                   Open(request.key, request.aad, request.sealed));
  return PlaintextReply{std::move(plaintext)};
}

base::Result<GenerateDataKeyReply> Pkcs11Token::Execute(
    const GenerateDataKeyRequest& request) {
  ASSIGN_OR_RETURN(base::Secret data_key, Random(request.size));
  ASSIGN_OR_RETURN(Sealed sealed, Seal(request.key, request.counter,
                                       request.aad, data_key.Reveal()));
  if (!request.want_plaintext) {
    data_key.Truncate(0);
  }
  return GenerateDataKeyReply{.plaintext = std::move(data_key),
                              .sealed = std::move(sealed)};
}

base::Result<Sealed> Pkcs11Token::Execute(const ReEncryptRequest& request) {
  ASSIGN_OR_RETURN(const base::Secret plaintext,
                   Open(request.from, request.from_aad, request.sealed));
  return Seal(request.to, request.counter, request.to_aad, plaintext.Reveal());
}

base::Result<PlaintextReply> Pkcs11Token::Execute(
    const RandomRequest& request) {
  ASSIGN_OR_RETURN(base::Secret bytes, Random(request.size));
  return PlaintextReply{std::move(bytes)};
}

base::Result<EmptyReply> Pkcs11Token::Execute(
    const DestroyKeyRequest& request) {
  full_until_ = {};
  RETURN_IF_ERROR(Alive(DestroyKey(Here(), request.locator)));
  return EmptyReply{};
}

base::Result<EmptyReply> Pkcs11Token::Execute(const EvictKeyRequest& request) {
  full_until_ = {};  // A key that another worker has destroyed made room.
  wrapped_.NeverAgain(request.locator);
  RETURN_IF_ERROR(Alive(Forget(request.locator)));
  return EmptyReply{};
}

base::Result<CheckValue> Pkcs11Token::SelfTest(Algorithm algorithm,
                                               ObjectHandle object) {
  Workshop here = Here();
  return IsKeyPair(FindAlgorithm(algorithm)->kind)
             ? CheckPair(here, algorithm, object)
             : TestSecret(here, algorithm, object);
}

base::Result<GenerateKeyReply> Pkcs11Token::Execute(
    const CheckKeyRequest& request) {
  const Algorithm algorithm = request.key.algorithm;
  const AlgorithmRow* row = FindAlgorithm(algorithm);
  if (row == nullptr) {
    return Error{ErrorCode::kInvalidArgument, "unknown algorithm"};
  }
  RETURN_IF_ERROR(CheckUse(request.key, row->use));
  ASSIGN_OR_RETURN(const CheckValue check_value,
                   WithKey(request.key, [&](ObjectHandle object) {
                     return SelfTest(algorithm, object);
                   }));
  return GenerateKeyReply{check_value};
}

base::Result<EmptyReply> Pkcs11Token::Execute(const HealthRequest&) {
  RETURN_IF_ERROR(canary_.Check());
  return EmptyReply{};
}

base::Result<Capabilities> Pkcs11Token::Execute(const CapabilitiesRequest&) {
  return CapabilitiesOf(connection_->identity(), profile_);
}

base::Result<ListKeysReply> Pkcs11Token::Execute(const ListKeysRequest&) {
  const auto list = [this]() -> base::Result<std::vector<ListedKey>> {
    ASSIGN_OR_RETURN(const auto hold, connection_->lock().Take());
    return ListKeys(connection_->sessions(), hold);
  };
  // Without the lock, which Alive() may need.
  ASSIGN_OR_RETURN(auto keys, Alive(list()));
  return ListKeysReply{std::move(keys)};
}

base::Result<GenerateKeyPairReply> Pkcs11Token::Execute(
    const GenerateKeyPairRequest& request) {
  ASSIGN_OR_RETURN(
      base::Bytes public_key,
      Alive(MakeNew([&] { return MakeKeyPair(Here(), request.key); })));
  return GenerateKeyPairReply{std::move(public_key)};
}

base::Result<SignReply> Pkcs11Token::Execute(const SignRequest& request) {
  RETURN_IF_ERROR(CheckUse(request.key, KeyUse::kSign));
  ASSIGN_OR_RETURN(base::Bytes signature,
                   WithKey(request.key, [&](ObjectHandle object) {
                     return Sign(connection_->sessions(), object, request);
                   }));
  return SignReply{std::move(signature)};
}

base::Result<MacReply> Pkcs11Token::Execute(const MacRequest& request) {
  RETURN_IF_ERROR(CheckUse(request.key, KeyUse::kMac));
  ASSIGN_OR_RETURN(base::Bytes mac,
                   WithKey(request.key, [&](ObjectHandle object) {
                     return Mac(connection_->sessions(), request.key.algorithm,
                                object, request.message.Reveal());
                   }));
  return MacReply{std::move(mac)};
}

base::Result<PlaintextReply> Pkcs11Token::Execute(const AgreeRequest& request) {
  RETURN_IF_ERROR(CheckUse(request.key, KeyUse::kAgree));
  const Algorithm algorithm = request.key.algorithm;
  ASSIGN_OR_RETURN(
      const PublicKey peer,
      PublicKey::OfPeer(*FindCurve(algorithm), request.public_key));
  ASSIGN_OR_RETURN(
      base::Secret secret, WithKey(request.key, [&](ObjectHandle object) {
        return Agree(connection_->sessions(), algorithm, object, peer);
      }));
  return PlaintextReply{std::move(secret)};
}

base::Status Pkcs11Token::CheckGivesPlaintext(const KeyRef& key,
                                              ObjectHandle object) {
  // What is unwrapped as a key that decrypts does nothing else.
  if (key.wrapped != nullptr || gives_plaintext_.contains(key.locator)) {
    return {};
  }
  ASSIGN_OR_RETURN(const auto hold, connection_->lock().Take());
  ASSIGN_OR_RETURN(const base::Bytes unwraps,
                   connection_->sessions()
                       .anchor()
                       .ReadAttribute(object, CKA_UNWRAP)
                       .Take());
  if (unwraps != base::Bytes{CK_FALSE}) {
    return Error{ErrorCode::kInvalidArgument,
                 "the key unwraps imported material, and tells nobody"};
  }
  gives_plaintext_.insert(key.locator);
  return {};
}

base::Result<PlaintextReply> Pkcs11Token::Execute(
    const RsaDecryptRequest& request) {
  RETURN_IF_ERROR(CheckUse(request.key, KeyUse::kDecrypt));
  ASSIGN_OR_RETURN(
      base::Secret plaintext,
      WithKey(request.key,
              [&](ObjectHandle object) -> base::Result<base::Secret> {
                RETURN_IF_ERROR(CheckGivesPlaintext(request.key, object));
                return RsaDecrypt(connection_->sessions(), profile_, object,
                                  request);
              }));
  return PlaintextReply{std::move(plaintext)};
}

// The key that seals is looked at first: RSA takes seconds.
base::Result<GenerateDataKeyPairReply> Pkcs11Token::Execute(
    const GenerateDataKeyPairRequest& request) {
  RETURN_IF_ERROR(CheckUse(request.key, KeyUse::kEncrypt));
  RETURN_IF_ERROR(Find(request.key));
  ASSIGN_OR_RETURN(DataKeyPair pair, MakeDataKeyPair(request.pair));
  ASSIGN_OR_RETURN(Sealed sealed, Seal(request.key, request.counter,
                                       request.aad, pair.private_key.Reveal()));
  if (!request.want_plaintext) {
    pair.private_key.Truncate(0);
  }
  return GenerateDataKeyPairReply{.public_key = std::move(pair.public_key),
                                  .private_key = std::move(pair.private_key),
                                  .sealed = std::move(sealed)};
}

base::Result<ImportKeyReply> Pkcs11Token::Execute(
    const ImportKeyRequest& request) {
  RETURN_IF_ERROR(CheckUse(request.wrapping_key, KeyUse::kUnwrap));
  if (request.wrapping_key.locator == kTransportKey) {
    return Error{ErrorCode::kInvalidArgument,
                 "the transport key unwraps wrapping keys only"};
  }
  auto imported = MakeNew([&]() -> base::Result<ImportKeyReply> {
    ASSIGN_OR_RETURN(const ObjectHandle wrapping_key,
                     Find(request.wrapping_key));
    return ImportKey(Here(), wrapped_, wrapping_key, request);
  });
  if (!imported.has_value() &&
      imported.error().code == ErrorCode::kInvalidCiphertext) {
    return Final(std::move(imported).error());
  }
  return Alive(std::move(imported));
}

base::Result<GenerateWrappedKeyReply> Pkcs11Token::Execute(
    const GenerateWrappedKeyRequest& request) {
  return Alive(MakeNew([&] { return wrapped_.Generate(request); }));
}

base::Result<EmptyReply> Pkcs11Token::Execute(
    const KeepWrappedKeyRequest& request) {
  RETURN_IF_ERROR(Alive(MakeNew([&] { return wrapped_.Keep(request); })));
  return EmptyReply{};
}

base::Result<SealExternalReply> Pkcs11Token::Execute(
    const SealExternalRequest& request) {
  RETURN_IF_ERROR(CheckUse(request.key, KeyUse::kEncrypt));
  return WithKey(request.key, [&](ObjectHandle object) {
    return cipher_.SealExternal(request, object);
  });
}

base::Result<PlaintextReply> Pkcs11Token::Execute(
    const OpenExternalRequest& request) {
  RETURN_IF_ERROR(CheckUse(request.key, KeyUse::kEncrypt));
  ASSIGN_OR_RETURN(base::Secret plaintext,
                   WithKey(request.key, [&](ObjectHandle object) {
                     return cipher_.OpenExternal(request, object);
                   }));
  return PlaintextReply{std::move(plaintext)};
}

base::Result<ImportRouteReply> Pkcs11Token::Execute(
    const ImportRouteRequest& request) {
  const AlgorithmRow* row = FindAlgorithm(request.algorithm);
  if (row == nullptr || !IsImported(row->use)) {
    return Error{ErrorCode::kInvalidArgument, "no such key is imported"};
  }
  return ImportRouteReply{RouteOf(profile_, request.wrapping, *row)};
}

base::Result<MakeTransportKeyReply> Pkcs11Token::Execute(
    const MakeTransportKeyRequest&) {
  return Alive(MakeTransportKey(Here()));
}

base::Result<ShareWrappingKeyReply> Pkcs11Token::Execute(
    const ShareWrappingKeyRequest& request) {
  RETURN_IF_ERROR(CheckIsResidentWrappingKey(request.wrapping_key));
  return Alive(ShareWrappingKey(Here(), request));
}

base::Result<EmptyReply> Pkcs11Token::Execute(
    const ReceiveWrappingKeyRequest& request) {
  RETURN_IF_ERROR(CheckIsResidentWrappingKey(request.wrapping_key));
  RETURN_IF_ERROR(Alive(ReceiveWrappingKey(Here(), request)));
  return EmptyReply{};
}

base::Result<CheckPinReply> Pkcs11Token::Execute(
    const CheckPinRequest& request) {
  ASSIGN_OR_RETURN(const bool is_right, pin_.Check(request.pin));
  return CheckPinReply{is_right};
}

}  // namespace hsm::token
