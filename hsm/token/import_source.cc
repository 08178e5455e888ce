// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/import_source.h"

#include <algorithm>
#include <utility>

#include "hsm/token/attributes.h"
#include "hsm/token/hashes.h"
#include "hsm/token/key_wrap.h"
#include "hsm/token/quirks.h"
#include "hsm/token/rsa_decrypt.h"
#include "hsm/token/session_object.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

struct WrappingRow {
  WrappingAlgorithm algorithm;
  Hash hash;
  bool by_aes;  // What RSAES-OAEP gives is an AES key, which wraps the rest.
};
constexpr WrappingRow kWrappingRows[] = {
    {WrappingAlgorithm::kOaepSha1, Hash::kSha1, false},
    {WrappingAlgorithm::kOaepSha256, Hash::kSha256, false},
    {WrappingAlgorithm::kRsaAesSha1, Hash::kSha1, true},
    {WrappingAlgorithm::kRsaAesSha256, Hash::kSha256, true},
};

const WrappingRow& RowOf(WrappingAlgorithm algorithm) {
  return *std::ranges::find(kWrappingRows, algorithm, &WrappingRow::algorithm);
}

bool UnwrapsOaep(const Profile& profile, Hash hash) {
  return hash == Hash::kSha1 ? profile.unwraps_oaep_sha1
                             : profile.unwraps_oaep_sha256;
}

// Whether such a key can become one within the token. A secret whose length
// cannot be measured there cannot, and neither can an Ed25519 key, whose public
// half nobody would know: signatures do not give it away.
bool UnwrapsKind(const Profile& profile, KeyKind kind) {
  switch (kind) {
    case KeyKind::kAes:
    case KeyKind::kHmac:
      return profile.rfc5649 != 0;
    case KeyKind::kRsa:
      return profile.unwraps_rsa;
    case KeyKind::kEc:
      return profile.unwraps_ec;
    case KeyKind::kEdwards:
      break;
  }
  return false;
}

Error Wrong() { return {ErrorCode::kInvalidCiphertext, ""}; }

class WrappedSource final : public Source {
 public:
  // By RSAES-OAEP.
  WrappedSource(const HashRow& hash, ObjectHandle with, base::ByteView wrapped)
      : oaep_{.hash_alg = hash.mechanism,
              .mgf = hash.mgf1,
              .source = CKZ_DATA_SPECIFIED,
              .source_data = nullptr,
              .source_data_len = 0},
        mechanism_{
            CKM_RSA_PKCS_OAEP,
            {reinterpret_cast<const std::uint8_t*>(&oaep_), sizeof(oaep_)}},
        with_(with),
        wrapped_(wrapped) {}

  // By the AES key `with`, which goes with this.
  WrappedSource(CK_MECHANISM_TYPE rfc5649, std::unique_ptr<SessionObject> with,
                base::ByteView wrapped)
      : oaep_{},
        mechanism_{rfc5649},
        owned_(std::move(with)),
        with_(owned_->handle()),
        wrapped_(wrapped) {}

  Answer<ObjectHandle> Make(Session& session, Template attributes) override {
    return session.UnwrapKey(mechanism_, with_, wrapped_, attributes);
  }

 private:
  CK_RSA_PKCS_OAEP_PARAMS oaep_;
  Mechanism mechanism_;  // May view oaep_.
  std::unique_ptr<SessionObject> owned_;
  ObjectHandle with_;
  base::ByteView wrapped_;
};

class ClearSource final : public Source {
 public:
  explicit ClearSource(ClearKey key) : key_(std::move(key)) {}

  Answer<ObjectHandle> Make(Session& session, Template attributes) override {
    key_.AddTo(attributes);
    return session.CreateObject(attributes);
  }
  const ClearKey* clear() const override { return &key_; }

 private:
  ClearKey key_;
};

// What all steps work on.
struct Opening {
  Workshop& workshop;
  ObjectHandle wrapping_key;
  const WrappingRow& wrapping;
  const AlgorithmRow& row;  // Of the new key.
  base::ByteView by_rsa;    // What RSAES-OAEP wraps, and
  base::ByteView by_aes;    // what the AES key wraps, if there is one.
};

base::Result<base::Secret> Decrypt(const Opening& opening) {
  return DecryptOaep(opening.workshop.connection.sessions(),
                     opening.workshop.profile, opening.wrapping_key,
                     opening.wrapping.hash, opening.by_rsa);
}

using SourcePtr = std::unique_ptr<Source>;

base::Result<SourcePtr> InWorker(const Opening& opening) {
  ASSIGN_OR_RETURN(base::Secret material, Decrypt(opening));
  if (opening.wrapping.by_aes) {
    ASSIGN_OR_RETURN(material,
                     UnwrapRfc5649(material.Reveal(), opening.by_aes));
  }
  ASSIGN_OR_RETURN(ClearKey key, ReadClearKey(opening.row, material));
  return SourcePtr(std::make_unique<ClearSource>(std::move(key)));
}

bool IsAesSize(std::size_t size) {
  return size == 16 || size == 24 || size == 32;
}

// The AES key as a session object that only unwraps, by way of this process
// where the token cannot do otherwise.
base::Result<ObjectHandle> OpenAesKey(const Opening& opening,
                                      ImportRoute route) {
  Workshop& workshop = opening.workshop;
  Session& anchor = workshop.connection.sessions().anchor();
  Template attributes =
      UnwrappingTemplate(workshop.profile.rfc5649, workshop.profile.attributes);
  if (route == ImportRoute::kInside) {
    const auto made = WrappedSource(*FindHash(opening.wrapping.hash),
                                    opening.wrapping_key, opening.by_rsa)
                          .Make(anchor, std::move(attributes));
    if (RejectsWrapped(workshop.connection.sessions().quirks(), made.rv)) {
      return Wrong();
    }
    RETURN_IF_ERROR(made.Done());
    return made.value;
  }
  ASSIGN_OR_RETURN(const base::Secret key, Decrypt(opening));
  if (!IsAesSize(key.size())) {
    return Wrong();
  }
  attributes.Set(CKA_VALUE, base::ByteView(key.Reveal()));
  return anchor.CreateObject(attributes).Take();
}

base::Result<SourcePtr> InToken(const Opening& opening, ImportRoute route) {
  if (!opening.wrapping.by_aes) {
    return SourcePtr(
        std::make_unique<WrappedSource>(*FindHash(opening.wrapping.hash),
                                        opening.wrapping_key, opening.by_rsa));
  }
  ASSIGN_OR_RETURN(const ObjectHandle aes_key, OpenAesKey(opening, route));
  Workshop& workshop = opening.workshop;
  return SourcePtr(std::make_unique<WrappedSource>(
      workshop.profile.rfc5649,
      std::make_unique<SessionObject>(workshop.connection.sessions().anchor(),
                                      aes_key),
      opening.by_aes));
}

// What no key of ours can be as long as.
constexpr std::size_t kMaxWrappedPair = 8192;
constexpr std::size_t kSemiblock = 8;

// A secret with its check value: more would not fit into what measures it.
bool FitsRfc5649(const AlgorithmRow& row, std::size_t size) {
  const std::size_t most = IsKeyPair(row.kind)
                               ? kMaxWrappedPair
                               : ImportedSize(row.algorithm).max + kSemiblock;
  return size >= 2 * kSemiblock && size % kSemiblock == 0 && size <= most;
}

}  // namespace

ImportRoute RouteOf(const Profile& profile, WrappingAlgorithm wrapping,
                    const AlgorithmRow& row) {
  const WrappingRow& way = RowOf(wrapping);
  if (!UnwrapsKind(profile, row.kind)) {
    return ImportRoute::kInWorker;
  }
  if (UnwrapsOaep(profile, way.hash)) {
    return ImportRoute::kInside;
  }
  return way.by_aes ? ImportRoute::kWrappingKeyInWorker
                    : ImportRoute::kInWorker;
}

base::Result<SourcePtr> OpenSource(Workshop& workshop,
                                   ObjectHandle wrapping_key,
                                   const ImportKeyRequest& request) {
  const WrappingRow& wrapping = RowOf(request.wrapping);
  const AlgorithmRow& row = *FindAlgorithm(request.key.algorithm);
  const base::ByteView wrapped = request.wrapped;
  const auto modulus = static_cast<std::size_t>(
      FindAlgorithm(request.wrapping_key.algorithm)->bits / 8);
  const bool fits = wrapping.by_aes
                        ? wrapped.size() > modulus &&
                              FitsRfc5649(row, wrapped.size() - modulus)
                        : wrapped.size() == modulus;
  if (!fits) {
    return Wrong();
  }
  const Opening opening{.workshop = workshop,
                        .wrapping_key = wrapping_key,
                        .wrapping = wrapping,
                        .row = row,
                        .by_rsa = wrapped.first(modulus),
                        .by_aes = wrapped.subspan(modulus)};
  const ImportRoute route = RouteOf(workshop.profile, request.wrapping, row);
  return route == ImportRoute::kInWorker ? InWorker(opening)
                                         : InToken(opening, route);
}

}  // namespace hsm::token
