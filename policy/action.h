// SPDX-License-Identifier: Apache-2.0
#ifndef POLICY_ACTION_H_
#define POLICY_ACTION_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// IAM User Guide, "IAM JSON policy elements: Action"; Service Authorization
// Reference, "Actions, resources, and condition keys for AWS Key Management
// Service".
namespace policy {

// The permissions of AWS KMS, without "kms:", in the order of their names.
inline constexpr std::array<std::string_view, 58> kKmsActions = {
    "CancelKeyDeletion",
    "ConnectCustomKeyStore",
    "CreateAlias",
    "CreateCustomKeyStore",
    "CreateGrant",
    "CreateKey",
    "Decapsulate",
    "Decrypt",
    "DeleteAlias",
    "DeleteCustomKeyStore",
    "DeleteImportedKeyMaterial",
    "DeriveSharedSecret",
    "DescribeCustomKeyStores",
    "DescribeKey",
    "DisableKey",
    "DisableKeyRotation",
    "DisconnectCustomKeyStore",
    "EnableKey",
    "EnableKeyRotation",
    "Encapsulate",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateMac",
    "GenerateRandom",
    "GetKeyLastUsage",
    "GetKeyPolicy",
    "GetKeyRotationStatus",
    "GetParametersForImport",
    "GetPublicKey",
    "ImportKeyMaterial",
    "ListAliases",
    "ListGrants",
    "ListKeyPolicies",
    "ListKeyRotations",
    "ListKeys",
    "ListResourceTags",
    "ListRetirableGrants",
    "PutKeyPolicy",
    "ReEncryptFrom",
    "ReEncryptTo",
    "ReplicateKey",
    "RetireGrant",
    "RevokeGrant",
    "RotateKeyOnDemand",
    "ScheduleKeyDeletion",
    "Sign",
    "SynchronizeMultiRegionKey",
    "TagResource",
    "UntagResource",
    "UpdateAlias",
    "UpdateCustomKeyStore",
    "UpdateKeyDescription",
    "UpdatePrimaryRegion",
    "Verify",
    "VerifyMac",
};

// A set of actions of AWS KMS: bit i is kKmsActions[i].
using KmsActions = std::uint64_t;
static_assert(kKmsActions.size() <= 64);

// The bit of "kms:Decrypt" or "Decrypt", in any case; 0 if it is none.
KmsActions KmsActionBit(std::string_view action);

// The bit of a name known at compile time; an unknown one does not compile.
consteval KmsActions Bit(std::string_view name) {
  std::size_t i = 0;
  while (kKmsActions.at(i) != name) {
    ++i;
  }
  return KmsActions{1} << i;
}

// A RequestedAction is a request's action, made ready for matchers: folded, and
// its bit known. Not copyable: it views itself.
class RequestedAction {
 public:
  explicit RequestedAction(std::string_view action);
  RequestedAction(const RequestedAction&) = delete;
  RequestedAction& operator=(const RequestedAction&) = delete;

  // False for what no policy can name: matchers have no answer for it.
  bool valid() const { return !folded_.empty(); }
  std::string_view folded() const { return folded_; }
  KmsActions bit() const { return bit_; }
  bool is_kms() const { return folded_.starts_with("kms:"); }

 private:
  std::array<char, 128> buffer_;
  std::string_view folded_;
  KmsActions bit_ = 0;
};

// Whether `pattern` may stand in an Action element: "*", or a service's name
// (or "*"), a colon, and a name with wildcards. `only_kms` allows no service
// but kms.
bool IsActionPattern(std::string_view pattern, bool only_kms);

// An ActionMatcher is the compiled Action or NotAction of a statement.
class ActionMatcher {
 public:
  // `pattern` is an IsActionPattern.
  void Add(std::string_view pattern);
  void Invert() { inverted_ = true; }
  bool Matches(const RequestedAction& action) const {
    const bool listed =
        action.bit() != 0 ? (kms_ & action.bit()) != 0 : IsListed(action);
    return listed != inverted_;
  }

 private:
  bool IsListed(const RequestedAction& action) const;

  KmsActions kms_ = 0;
  bool inverted_ = false;
  // Folded; for actions without a bit.
  std::vector<std::string> patterns_;
};

}  // namespace policy

#endif  // POLICY_ACTION_H_
