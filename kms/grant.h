// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_GRANT_H_
#define KMS_GRANT_H_

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/hash.h"
#include "kms/model.h"

// AWS KMS Developer Guide, "Grants in AWS KMS". Values as stored: plain data,
// immutable once shared.
namespace kms {

// The API model's GrantOperation, in its order.
enum class GrantOperation : std::uint8_t {
  kDecrypt,
  kEncrypt,
  kGenerateDataKey,
  kGenerateDataKeyWithoutPlaintext,
  kReEncryptFrom,
  kReEncryptTo,
  kSign,
  kVerify,
  kGetPublicKey,
  kCreateGrant,
  kRetireGrant,
  kDescribeKey,
  kGenerateDataKeyPair,
  kGenerateDataKeyPairWithoutPlaintext,
  kGenerateMac,
  kVerifyMac,
  kDeriveSharedSecret,
  kEncapsulate,
  kDecapsulate,
};

// The AWS spelling of each, at the index of its enumerator.
inline constexpr std::array<std::string_view, 19> kGrantOperationNames = {
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
    "Sign",
    "Verify",
    "GetPublicKey",
    "CreateGrant",
    "RetireGrant",
    "DescribeKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateMac",
    "VerifyMac",
    "DeriveSharedSecret",
    "Encapsulate",
    "Decapsulate",
};

// A GrantOperations is a set of them.
class GrantOperations {
 public:
  constexpr GrantOperations() = default;
  template <typename... Ops>
  constexpr explicit GrantOperations(GrantOperation first, Ops... rest)
      : bits_((Bit(first) | ... | Bit(rest))) {}

  constexpr void Add(GrantOperation operation) { bits_ |= Bit(operation); }
  constexpr bool Has(GrantOperation operation) const {
    return (bits_ & Bit(operation)) != 0;
  }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr GrantOperations Without(GrantOperations other) const {
    return GrantOperations(bits_ & ~other.bits_);
  }
  constexpr GrantOperations With(GrantOperations other) const {
    return GrantOperations(bits_ | other.bits_);
  }
  constexpr bool operator==(const GrantOperations&) const = default;

  // Calls `visit` with the name of each, in the order of the enumeration.
  template <typename Visit>
  void ForEachName(Visit visit) const {
    for (std::size_t i = 0; i < kGrantOperationNames.size(); ++i) {
      if (Has(static_cast<GrantOperation>(i))) {
        visit(kGrantOperationNames[i]);
      }
    }
  }

 private:
  constexpr explicit GrantOperations(std::uint32_t bits) : bits_(bits) {}
  static constexpr std::uint32_t Bit(GrantOperation operation) {
    return std::uint32_t{1} << static_cast<unsigned>(operation);
  }

  std::uint32_t bits_ = 0;
};

std::optional<GrantOperation> ParseGrantOperation(std::string_view name);

// The names with commas between them, and back; nullopt for anything else.
std::string GrantOperationsText(GrantOperations operations);
std::optional<GrantOperations> ParseGrantOperations(std::string_view text);

// Sorted by the bytes of the keys, which are case-sensitive.
using ContextPairs = std::map<std::string, std::string, std::less<>>;

// The pairs as a JSON object, and back.
std::string ContextPairsText(const ContextPairs& pairs);
std::optional<ContextPairs> ParseContextPairs(std::string_view text);

// What a request must fulfil for a grant to count. At most one of the two
// encryption contexts is there.
struct GrantConstraints {
  std::optional<ContextPairs> context_equals;  // The whole context, exactly.
  std::optional<ContextPairs> context_subset;  // At least these pairs.
  std::string source_arn;                      // "" if none.

  bool HasContext() const { return context_equals || context_subset; }
  bool operator==(const GrantConstraints&) const = default;
};

// A Grant lets a principal use one key. It only ever allows.
struct Grant {
  std::string id;          // 64 hex digits.
  std::string key_row_id;  // Key::row_id of the key.
  std::string account;     // The key's.
  std::string region;      // The key's.
  std::string name;        // "" if it has none.
  // One of the two is set.
  std::string grantee_principal;  // ARN.
  std::string grantee_service;    // "sns.amazonaws.com"
  // Unique id of the user or role that the ARN stood for; empty if it is of
  // another kind, or the grant is older than such ids.
  std::string grantee_id;
  // At most one of the two is set.
  std::string retiring_principal;
  std::string retiring_service;
  std::string retiring_id;         // As `grantee_id`.
  std::string issuing_account;     // 12 digits: who made it,
  std::string creating_principal;  // and the ARN.
  GrantOperations operations;
  GrantConstraints constraints;
  base::WallTime created{};

  std::string KeyArn() const;

  // Identifies what CreateGrant was asked for, but for the name: with the same
  // name and the same parameters a second call returns the first grant.
  base::Digest Parameters() const;
};
using GrantPtr = std::shared_ptr<const Grant>;

// Whether `text` can be a grant's id.
bool IsGrantId(std::string_view text);
std::string NewGrantId();

// The account of an IAM or STS principal's ARN that a grant may name: root,
// user, role, federated user, assumed role. nullopt for anything else.
std::optional<std::string_view> AccountOfPrincipal(std::string_view arn);

// What a grant can allow on `key`, whose usage and spec decide.
GrantOperations GrantableOperations(const Key& key);

// Whether one who may create grants only by `parent` may create `child`: on the
// same key, with no other operations, under constraints at least as strict
// (AWS KMS Developer Guide, "Granting CreateGrant permission"). Several parents
// do not add up: one of them must cover the child.
bool MayCreateFrom(const Grant& parent, const Grant& child);

}  // namespace kms

#endif  // KMS_GRANT_H_
