// SPDX-License-Identifier: Apache-2.0
#include "kms/model.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "kms/key_id.h"
#include "kms/names.h"

namespace kms {
namespace {

constexpr std::array kKeyStates = {
    Names<KeyState>{KeyState::kCreating, "Creating"},
    Names<KeyState>{KeyState::kEnabled, "Enabled"},
    Names<KeyState>{KeyState::kDisabled, "Disabled"},
    Names<KeyState>{KeyState::kPendingDeletion, "PendingDeletion"},
    Names<KeyState>{KeyState::kPendingImport, "PendingImport"},
    Names<KeyState>{KeyState::kPendingReplicaDeletion,
                    "PendingReplicaDeletion"},
    Names<KeyState>{KeyState::kUnavailable, "Unavailable"},
    Names<KeyState>{KeyState::kUpdating, "Updating"},
};
constexpr std::array kKeySpecs = {
    Names<KeySpec>{KeySpec::kSymmetricDefault, "SYMMETRIC_DEFAULT"},
    Names<KeySpec>{KeySpec::kRsa2048, "RSA_2048"},
    Names<KeySpec>{KeySpec::kRsa3072, "RSA_3072"},
    Names<KeySpec>{KeySpec::kRsa4096, "RSA_4096"},
    Names<KeySpec>{KeySpec::kEccNistP256, "ECC_NIST_P256"},
    Names<KeySpec>{KeySpec::kEccNistP384, "ECC_NIST_P384"},
    Names<KeySpec>{KeySpec::kEccNistP521, "ECC_NIST_P521"},
    Names<KeySpec>{KeySpec::kEccSecgP256k1, "ECC_SECG_P256K1"},
    Names<KeySpec>{KeySpec::kEccNistEdwards25519, "ECC_NIST_EDWARDS25519"},
    Names<KeySpec>{KeySpec::kHmac224, "HMAC_224"},
    Names<KeySpec>{KeySpec::kHmac256, "HMAC_256"},
    Names<KeySpec>{KeySpec::kHmac384, "HMAC_384"},
    Names<KeySpec>{KeySpec::kHmac512, "HMAC_512"},
};
constexpr std::array kKeyUsages = {
    Names<KeyUsage>{KeyUsage::kEncryptDecrypt, "ENCRYPT_DECRYPT"},
    Names<KeyUsage>{KeyUsage::kSignVerify, "SIGN_VERIFY"},
    Names<KeyUsage>{KeyUsage::kGenerateVerifyMac, "GENERATE_VERIFY_MAC"},
    Names<KeyUsage>{KeyUsage::kKeyAgreement, "KEY_AGREEMENT"},
};
constexpr std::array kOrigins = {
    Names<Origin>{Origin::kAwsKms, "AWS_KMS"},
    Names<Origin>{Origin::kExternal, "EXTERNAL"},
    Names<Origin>{Origin::kAwsCloudHsm, "AWS_CLOUDHSM"},
    Names<Origin>{Origin::kExternalKeyStore, "EXTERNAL_KEY_STORE"},
};
constexpr std::array kWrappingAlgorithms = {
    Names<hsm::WrappingAlgorithm>{hsm::WrappingAlgorithm::kOaepSha1,
                                  "RSAES_OAEP_SHA_1"},
    Names<hsm::WrappingAlgorithm>{hsm::WrappingAlgorithm::kOaepSha256,
                                  "RSAES_OAEP_SHA_256"},
    Names<hsm::WrappingAlgorithm>{hsm::WrappingAlgorithm::kRsaAesSha1,
                                  "RSA_AES_KEY_WRAP_SHA_1"},
    Names<hsm::WrappingAlgorithm>{hsm::WrappingAlgorithm::kRsaAesSha256,
                                  "RSA_AES_KEY_WRAP_SHA_256"},
};
constexpr std::array kMultiRegionTypes = {
    Names<MultiRegionType>{MultiRegionType::kPrimary, "PRIMARY"},
    Names<MultiRegionType>{MultiRegionType::kReplica, "REPLICA"},
};
constexpr std::array kRotationTypes = {
    Names<RotationType>{RotationType::kAutomatic, "AUTOMATIC"},
    Names<RotationType>{RotationType::kOnDemand, "ON_DEMAND"},
};

}  // namespace

std::string_view KeyStateName(KeyState state) {
  return NameOf(kKeyStates, state);
}
std::string_view KeySpecName(KeySpec spec) { return NameOf(kKeySpecs, spec); }
std::string_view KeyUsageName(KeyUsage usage) {
  return NameOf(kKeyUsages, usage);
}
std::string_view OriginName(Origin origin) { return NameOf(kOrigins, origin); }
std::string_view MultiRegionTypeName(MultiRegionType type) {
  return NameOf(kMultiRegionTypes, type);
}
std::string_view RotationTypeName(RotationType type) {
  return NameOf(kRotationTypes, type);
}

std::string_view ExpirationModelName(bool expires) {
  return expires ? "KEY_MATERIAL_EXPIRES" : "KEY_MATERIAL_DOES_NOT_EXPIRE";
}
std::string_view WrappingAlgorithmName(hsm::WrappingAlgorithm algorithm) {
  return NameOf(kWrappingAlgorithms, algorithm);
}

std::optional<KeyState> ParseKeyState(std::string_view name) {
  return ValueOf(kKeyStates, name);
}
std::optional<KeySpec> ParseKeySpec(std::string_view name) {
  return ValueOf(kKeySpecs, name);
}
std::optional<KeyUsage> ParseKeyUsage(std::string_view name) {
  return ValueOf(kKeyUsages, name);
}
std::optional<Origin> ParseOrigin(std::string_view name) {
  return ValueOf(kOrigins, name);
}
std::optional<MultiRegionType> ParseMultiRegionType(std::string_view name) {
  return ValueOf(kMultiRegionTypes, name);
}
std::optional<RotationType> ParseRotationType(std::string_view name) {
  return ValueOf(kRotationTypes, name);
}

std::optional<hsm::WrappingAlgorithm> ParseWrappingAlgorithm(
    std::string_view name) {
  return ValueOf(kWrappingAlgorithms, name);
}

std::string Key::Arn() const { return KeyArn(region, account, id); }

const KeyMaterial* Key::FindCurrentMaterial() const {
  const auto it = std::ranges::find(materials, true, &KeyMaterial::current);
  return it == materials.end() ? nullptr : &*it;
}

const KeyMaterial& Key::CurrentMaterial() const {
  const KeyMaterial* const material = FindCurrentMaterial();
  if (material == nullptr) {
    std::abort();  // INVARIANT: a key that is enabled has a current material.
  }
  return *material;
}

const KeyMaterial* Key::PendingRotation() const {
  const bool pending = !materials.empty() && !materials.back().current;
  return pending ? &materials.back() : nullptr;
}

bool Key::HasAllMaterials() const {
  const KeyMaterial* const pending = PendingRotation();
  return !materials.empty() &&
         std::ranges::all_of(materials, [pending](const KeyMaterial& material) {
           return !material.import || material.import->imported ||
                  &material == pending;
         });
}

const KeyMaterial* Key::FindMaterial(const MaterialId& material_id) const {
  const auto it = std::ranges::find(materials, material_id, &KeyMaterial::id);
  return it == materials.end() ? nullptr : &*it;
}

std::string Alias::Arn() const { return AliasArn(region, account, name); }

}  // namespace kms
