// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/wrap_theft.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hsm/token/attributes.h"
#include "hsm/token/known_rsa_object.h"
#include "hsm/token/oaep_mechanism.h"

namespace hsm::token {
namespace {

constexpr std::array<std::uint8_t, 16> kZeroIv{};

// PKCS#11 v3.1 6.1.23, which p11-kit 0.24's header lacks.
struct RsaAesKeyWrapParameters {
  CK_ULONG aes_key_bits;
  const CK_RSA_PKCS_OAEP_PARAMS* oaep;
};

const OaepMechanism& Oaep(Hash hash) {
  static const OaepMechanism with_sha1(*FindHash(Hash::kSha1));
  static const OaepMechanism with_sha256(*FindHash(Hash::kSha256));
  return hash == Hash::kSha1 ? with_sha1 : with_sha256;
}

std::vector<Mechanism> AesMechanisms() {
  return {{CKM_AES_KEY_WRAP},     {CKM_AES_KEY_WRAP_PAD},
          {CKM_AES_KEY_WRAP_KWP}, {CKM_AES_ECB},
          {CKM_AES_CBC, kZeroIv}, {CKM_AES_CBC_PAD, kZeroIv}};
}

std::vector<Mechanism> RsaMechanisms() {
  static const RsaAesKeyWrapParameters rsa_aes = {
      256, &Oaep(Hash::kSha1).parameters()};
  return {{CKM_RSA_PKCS},
          Oaep(Hash::kSha1).mechanism(),
          Oaep(Hash::kSha256).mechanism(),
          {CKM_RSA_AES_KEY_WRAP,
           {reinterpret_cast<const std::uint8_t*>(&rsa_aes), sizeof(rsa_aes)}}};
}

bool Contains(std::initializer_list<CK_RV> list, CK_RV rv) {
  return std::ranges::find(list, rv) != list.end();
}

// The token has no such mechanism.
bool IsAbsent(CK_RV rv) {
  return Contains({CKR_MECHANISM_INVALID, CKR_FUNCTION_NOT_SUPPORTED}, rv);
}

// The token says that it is the key which may not be wrapped.
bool IsRefusal(CK_RV rv) {
  return Contains(
      {CKR_KEY_UNEXTRACTABLE, CKR_KEY_NOT_WRAPPABLE, CKR_ACTION_PROHIBITED},
      rv);
}

// The mechanism cannot take a key of that kind or length, whichever it is.
bool IsUnsuited(CK_RV rv) {
  return Contains({CKR_KEY_SIZE_RANGE, CKR_KEY_TYPE_INCONSISTENT,
                   CKR_DATA_LEN_RANGE, CKR_WRAPPING_KEY_SIZE_RANGE,
                   CKR_WRAPPING_KEY_TYPE_INCONSISTENT, CKR_KEY_NOT_WRAPPABLE},
                  rv);
}

Template AesWrappingKey() {
  Template key;
  key.Set(CKA_CLASS, CK_ULONG{CKO_SECRET_KEY})
      .Set(CKA_KEY_TYPE, CK_ULONG{CKK_AES})
      .Set(CKA_VALUE_LEN, kAesKeySize)
      .Set(CKA_TOKEN, false)
      .Set(CKA_WRAP, true);
  return key;
}

Template RsaWrappingKey() {
  Template key;
  key.Set(CKA_CLASS, CK_ULONG{CKO_PUBLIC_KEY})
      .Set(CKA_KEY_TYPE, CK_ULONG{CKK_RSA})
      .Set(CKA_TOKEN, false)
      .Set(CKA_WRAP, true)
      .Set(CKA_MODULUS,
           base::HexDecode(kKnownRsaKey.modulus).value_or(base::Bytes()))
      .Set(CKA_PUBLIC_EXPONENT, kPublicExponent);
  return key;
}

}  // namespace

struct WrapThief::Means {
  std::string_view name;
  std::vector<Mechanism> mechanisms;
  Answer<ObjectHandle> key;
};

Tried Worse(Tried one, Tried other) {
  return one.attempt >= other.attempt ? std::move(one) : std::move(other);
}

WrapThief::WrapThief(Session& session) : session_(session) {
  means_.push_back({"AES", AesMechanisms(), MakeAesKey()});
  means_.push_back({"RSA", RsaMechanisms(), MakeRsaKey()});
}

WrapThief::~WrapThief() {
  for (const Means& means : means_) {
    if (means.key.ok()) {
      (void)session_.DestroyObject(means.key.value);
    }
  }
  for (const Answer<ObjectHandle>& key : extractable_) {
    if (key.ok()) {
      (void)session_.DestroyObject(key.value);
    }
  }
}

// The less a template says, the fewer the reasons to refuse it; a token may
// also insist on what another does not know.
Answer<ObjectHandle> WrapThief::MakeAesKey() {
  auto key = session_.GenerateKey(
      CKM_AES_KEY_GEN,
      AesWrappingKey().Set(CKA_PRIVATE, true).Set(CKA_UNWRAP, true));
  if (!key.ok()) {
    key = session_.GenerateKey(CKM_AES_KEY_GEN, AesWrappingKey());
  }
  if (!key.ok()) {
    key = session_.GenerateKey(
        CKM_AES_KEY_GEN,
        AesWrappingKey().Remove(CKA_CLASS).Remove(CKA_KEY_TYPE));
  }
  if (!key.ok()) {
    const std::array<std::uint8_t, kAesKeySize> known{};
    const auto created = session_.CreateObject(
        AesWrappingKey().Remove(CKA_VALUE_LEN).Set(CKA_VALUE, known));
    return created.ok() ? created : key;
  }
  return key;
}

Answer<ObjectHandle> WrapThief::MakeRsaKey() {
  auto key = session_.CreateObject(RsaWrappingKey().Set(CKA_PRIVATE, false));
  if (!key.ok()) {
    key = session_.CreateObject(RsaWrappingKey());
  }
  if (!key.ok()) {
    key = session_.CreateObject(RsaWrappingKey().Set(CKA_ENCRYPT, true));
  }
  return key;
}

const Answer<ObjectHandle>& WrapThief::Extractable(Victim kind) {
  if (extractable_.empty()) {
    const AttributeSupport fewest{.allowed_mechanisms = false,
                                  .copyable = false};
    extractable_.push_back(session_.GenerateKey(
        CKM_AES_KEY_GEN,
        MessageKeyTemplate(fewest).Set(CKA_EXTRACTABLE, true)));
    const KeyRef signs{.locator = {}, .algorithm = Algorithm::kP256Sign};
    const auto pair = session_.GenerateKeyPair(
        CKM_EC_KEY_PAIR_GEN, PublicTemplate(signs),
        SessionPrivateTemplate(signs, fewest).Set(CKA_EXTRACTABLE, true));
    if (pair.ok()) {
      (void)session_.DestroyObject(pair.value.public_key);
    }
    if (pair.ok()) {
      extractable_.push_back({pair.rv, pair.function, pair.value.private_key});
    } else {
      Template known = SessionPrivateTemplate(
          {.locator = {}, .algorithm = Algorithm::kRsa2048Sign}, fewest);
      extractable_.push_back(session_.CreateObject(
          SetKnownRsaKey(known.Set(CKA_EXTRACTABLE, true))));
    }
  }
  return extractable_[kind == Victim::kSecret ? 0 : 1];
}

Tried WrapThief::TryBy(const Means& means, ObjectHandle victim, Victim kind) {
  // Without a wrapping key, a token that has no such mechanism says so all the
  // same; whatever else it says is about the key, which is none.
  const ObjectHandle with = means.key.ok() ? means.key.value : victim;
  std::set<CK_MECHANISM_TYPE> refused;
  std::vector<std::pair<CK_MECHANISM_TYPE, CK_RV>> doubts;
  for (const Mechanism& mechanism : means.mechanisms) {
    const auto wrapped = session_.WrapKey(mechanism, with, victim);
    if (wrapped.ok()) {
      return {Attempt::kSucceeded, fmt::format("by {}, mechanism {:#x}",
                                               means.name, mechanism.type)};
    }
    if (IsAbsent(wrapped.rv)) {
      continue;
    }
    if (!means.key.ok()) {
      return {Attempt::kNotTried,
              fmt::format("there is no {} key to wrap by: {}: {}", means.name,
                          means.key.function, RvText(means.key.rv))};
    }
    if (IsRefusedAs(mechanism, with, kind, wrapped.rv)) {
      refused.insert(mechanism.type);
    } else {
      doubts.emplace_back(mechanism.type, wrapped.rv);
    }
  }
  // Parameters that a token does not take say nothing if it takes others.
  std::erase_if(
      doubts, [&](const auto& doubt) { return refused.contains(doubt.first); });
  std::string how;
  for (const auto& [type, rv] : doubts) {
    how += fmt::format("{}{} mechanism {:#x}: {}", how.empty() ? "" : ", ",
                       means.name, type, RvText(rv));
  }
  return how.empty() ? Tried{} : Tried{Attempt::kNotTried, how};
}

// Whether `rv`, the answer to wrapping a key of that kind, is about the key:
// the token says so, or does the same with one that may be wrapped, or cannot
// do it with any key like that.
bool WrapThief::IsRefusedAs(const Mechanism& mechanism, ObjectHandle with,
                            Victim kind, CK_RV rv) {
  if (IsRefusal(rv)) {
    return true;
  }
  const Answer<ObjectHandle>& other = Extractable(kind);
  const CK_RV control =
      other.ok() ? session_.WrapKey(mechanism, with, other.value).rv : other.rv;
  return control == CKR_OK || (IsUnsuited(rv) && IsUnsuited(control));
}

Tried WrapThief::Try(ObjectHandle victim, Victim kind) {
  Tried worst;
  for (const Means& means : means_) {
    worst = Worse(TryBy(means, victim, kind), std::move(worst));
  }
  return worst;
}

}  // namespace hsm::token
