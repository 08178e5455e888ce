// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_MODEL_H_
#define KMS_MODEL_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "hsm/client/client.h"
#include "kms/key_policy.h"

// What a KMS key is, in AWS's words. Values as stored and as cached: plain
// data, immutable once shared.
namespace kms {

// AWS KMS Developer Guide, "Key states of KMS keys".
enum class KeyState : std::uint8_t {
  kCreating,
  kEnabled,
  kDisabled,
  kPendingDeletion,
  kPendingImport,
  kPendingReplicaDeletion,
  kUnavailable,
  kUpdating,
};

// What each is and can: kms/key_spec.h.
enum class KeySpec : std::uint8_t {
  kSymmetricDefault,
  kRsa2048,
  kRsa3072,
  kRsa4096,
  kEccNistP256,
  kEccNistP384,
  kEccNistP521,
  kEccSecgP256k1,
  kEccNistEdwards25519,
  kHmac224,
  kHmac256,
  kHmac384,
  kHmac512,
};
enum class KeyUsage : std::uint8_t {
  kEncryptDecrypt,
  kSignVerify,
  kGenerateVerifyMac,
  kKeyAgreement,
};
enum class Origin : std::uint8_t {
  kAwsKms,
  kExternal,  // Its key material is imported.
  // Keys in custom key stores (kms/custom_key_store.h), by their type.
  kAwsCloudHsm,
  kExternalKeyStore,
};

// What a key is among those that have its id in other Regions; kNone for a
// single-Region key. AWS KMS Developer Guide, "Multi-Region keys".
enum class MultiRegionType : std::uint8_t { kNone, kPrimary, kReplica };

// Why a key got a new material. AWS KMS API Reference, RotationsListEntry.
enum class RotationType : std::uint8_t { kAutomatic, kOnDemand };

// The AWS spelling of each enumerator, and back. Every table is total.
std::string_view KeyStateName(KeyState state);
std::string_view KeySpecName(KeySpec spec);
std::string_view KeyUsageName(KeyUsage usage);
std::string_view OriginName(Origin origin);
// Of kPrimary and kReplica.
std::string_view MultiRegionTypeName(MultiRegionType type);
std::string_view RotationTypeName(RotationType type);
std::string_view ExpirationModelName(bool expires);
std::string_view WrappingAlgorithmName(hsm::WrappingAlgorithm algorithm);
std::optional<KeyState> ParseKeyState(std::string_view name);
std::optional<KeySpec> ParseKeySpec(std::string_view name);
std::optional<KeyUsage> ParseKeyUsage(std::string_view name);
std::optional<Origin> ParseOrigin(std::string_view name);
std::optional<MultiRegionType> ParseMultiRegionType(std::string_view name);
std::optional<RotationType> ParseRotationType(std::string_view name);
// Of those that this server has.
std::optional<hsm::WrappingAlgorithm> ParseWrappingAlgorithm(
    std::string_view name);

using MaterialId = std::array<std::uint8_t, 32>;  // 64 hex digits in the API.

// A Rotation is what made a material the current one of its key.
struct Rotation {
  base::WallTime date{};
  RotationType type = RotationType::kAutomatic;
};

// A RotationSchedule says when a key is to be rotated. It stays while the key
// is disabled or pending deletion, and waits.
struct RotationSchedule {
  std::int64_t period_days = 0;  // 90..2560.
  base::WallTime next{};         // When the next rotation is due.
};

// What a key in its Region knows of a material that was imported there. The
// material may be gone again, and can then be imported once more.
struct Import {
  bool imported = true;
  std::optional<base::WallTime> valid_to;  // None: it does not expire.
  std::string description;
};

// KeyMaterial is one value that a key has had: rotation adds one.
struct KeyMaterial {
  MaterialId id{};
  hsm::KeyRef ref;
  std::string key_store;  // Name of the configured key store.
  bool current = true;
  base::WallTime created{};
  std::optional<Rotation> rotation;  // None: the key's first material.
  // SubjectPublicKeyInfo (RFC 5280, 4.1), DER; empty for secret keys.
  base::Bytes public_key;
  std::optional<Import>
      import;  // Of keys of Origin::kExternal, and of no other.

  // Whether it was imported and is there.
  bool IsImported() const { return import.has_value() && import->imported; }
};

// A Key is one KMS key of one account in one Region. The multi-Region keys of
// one id are a Key in each of their Regions; they share id, account, spec,
// usage, origin, rotation and materials, and nothing else.
struct Key {
  std::string id;  // UUID text, or "mrk-" + 32 hex: what the API calls KeyId.
  // What the store knows it by: KeyRowId(id, region), kms/key_id.h.
  std::string row_id;
  std::string account;  // 12 digits.
  std::string region;
  std::string description;
  KeySpec spec = KeySpec::kSymmetricDefault;
  KeyUsage usage = KeyUsage::kEncryptDecrypt;
  Origin origin = Origin::kAwsKms;
  KeyState state = KeyState::kEnabled;
  base::WallTime created{};
  std::optional<base::WallTime> deletion_date;  // In kPendingDeletion only.
  MultiRegionType multi_region = MultiRegionType::kNone;
  // In kPendingReplicaDeletion only: how long the key waits from when its last
  // replica is gone.
  std::optional<std::int64_t> pending_window_days;
  bool destroying = false;  // Its destruction has begun; there is no way back.
  std::string policy;       // The text of the policy named "default",
  PolicyPrincipals policy_principals;
  PolicyPtr compiled_policy;  // and what Store::FindKey has made of both.
  std::optional<RotationSchedule> rotation;  // None: not rotated by itself.
  std::uint64_t on_demand_rotations = 0;     // In its whole life.
  // The service whose AWS managed key it is ("s3.amazonaws.com"); empty for a
  // customer's.
  std::string managing_service;
  // Name of the configured key store that does the key's work. Empty in rows of
  // earlier releases: that of its materials.
  std::string key_store;
  // The id of the custom key store that it lives in, or empty; and which key of
  // the external key manager it is, with Origin::kExternalKeyStore.
  std::string custom_key_store;
  std::string xks_key_id;
  // Oldest first. Empty only before the first import; the current one is the
  // last, or has one more after it, which is pending rotation.
  std::vector<KeyMaterial> materials;

  std::string Arn() const;
  bool IsMultiRegion() const { return multi_region != MultiRegionType::kNone; }
  const KeyMaterial& CurrentMaterial() const;  // There must be one.
  // nullptr before the first import.
  const KeyMaterial* FindCurrentMaterial() const;
  // The imported material that will be the next current one, or nullptr. It is
  // not permanently the key's: it may go, and the key be used without it.
  const KeyMaterial* PendingRotation() const;
  // Whether there are materials, and none that the key has ever used waits for
  // its import.
  bool HasAllMaterials() const;
  const KeyMaterial* FindMaterial(const MaterialId& id) const;
};
using KeyPtr = std::shared_ptr<const Key>;

// A RelatedKey is one of the keys of one multi-Region key id.
struct RelatedKey {
  std::string row_id;
  std::string region;
  MultiRegionType type = MultiRegionType::kNone;
  KeyState state = KeyState::kEnabled;
  bool destroying = false;
};

struct Alias {
  std::string account;
  std::string region;
  std::string name;        // With "alias/".
  std::string key_row_id;  // Key::row_id of its key.
  base::WallTime created{};
  base::WallTime updated{};

  std::string Arn() const;
};

struct Tag {
  std::string key;
  std::string value;
  bool operator==(const Tag&) const = default;
};

}  // namespace kms

#endif  // KMS_MODEL_H_
