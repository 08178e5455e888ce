// SPDX-License-Identifier: Apache-2.0
// What grants may say: whom they name, what suits a key, how they narrow.
#include <algorithm>
#include <array>

#include "kms/grant.h"

namespace kms {
namespace {

using Op = GrantOperation;

constexpr GrantOperations kOfEveryKey(Op::kCreateGrant, Op::kRetireGrant,
                                      Op::kDescribeKey);

struct UsageRow {
  std::string_view usage;
  bool symmetric;
  GrantOperations operations;
};

// By AWS's words, so that a usage that no key has yet has its row already. AWS
// KMS Developer Guide, "Grant operations".
constexpr std::array kUsages = {
    UsageRow{"ENCRYPT_DECRYPT", true,
             GrantOperations(Op::kDecrypt, Op::kEncrypt, Op::kGenerateDataKey,
                             Op::kGenerateDataKeyWithoutPlaintext,
                             Op::kGenerateDataKeyPair,
                             Op::kGenerateDataKeyPairWithoutPlaintext,
                             Op::kReEncryptFrom, Op::kReEncryptTo)},
    UsageRow{"ENCRYPT_DECRYPT", false,
             GrantOperations(Op::kDecrypt, Op::kEncrypt, Op::kReEncryptFrom,
                             Op::kReEncryptTo, Op::kGetPublicKey)},
    UsageRow{"SIGN_VERIFY", false,
             GrantOperations(Op::kSign, Op::kVerify, Op::kGetPublicKey)},
    UsageRow{"GENERATE_VERIFY_MAC", false,
             GrantOperations(Op::kGenerateMac, Op::kVerifyMac)},
    UsageRow{"KEY_AGREEMENT", false,
             GrantOperations(Op::kDeriveSharedSecret, Op::kGetPublicKey)},
    UsageRow{
        "ENCAPSULATE_DECAPSULATE", false,
        GrantOperations(Op::kEncapsulate, Op::kDecapsulate, Op::kGetPublicKey)},
};

constexpr std::array<std::string_view, 2> kIamKinds = {"user/", "role/"};
constexpr std::array<std::string_view, 2> kStsKinds = {"assumed-role/",
                                                       "federated-user/"};

// Takes `prefix` off `text`, if it begins with it.
bool Take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) {
    return false;
  }
  text.remove_prefix(prefix.size());
  return true;
}

bool IsAccount(std::string_view text) {
  return text.size() == 12 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool NamesOneOf(std::string_view resource,
                const std::array<std::string_view, 2>& kinds) {
  return std::ranges::any_of(kinds, [resource](std::string_view kind) {
    return resource.starts_with(kind) && resource.size() > kind.size();
  });
}

bool Includes(const ContextPairs& all, const ContextPairs& some) {
  return std::ranges::includes(all, some);
}

// Whether every request that `child` lets through, `parent` does too.
bool AtLeastAsStrict(const GrantConstraints& child,
                     const GrantConstraints& parent) {
  if (!parent.source_arn.empty() && child.source_arn != parent.source_arn) {
    return false;
  }
  if (parent.context_equals) {
    return child.context_equals == parent.context_equals;
  }
  if (!parent.context_subset) {
    return true;
  }
  const auto& pairs =
      child.context_equals ? child.context_equals : child.context_subset;
  return pairs && Includes(*pairs, *parent.context_subset);
}

}  // namespace

std::optional<std::string_view> AccountOfPrincipal(std::string_view arn) {
  std::string_view rest = arn;
  const bool iam = Take(rest, "arn:aws:iam::");
  if (!iam && !Take(rest, "arn:aws:sts::")) {
    return std::nullopt;
  }
  const std::string_view account = rest.substr(0, 12);
  rest.remove_prefix(account.size());
  if (!IsAccount(account) || !Take(rest, ":")) {
    return std::nullopt;
  }
  const bool named = iam ? rest == "root" || NamesOneOf(rest, kIamKinds)
                         : NamesOneOf(rest, kStsKinds);
  return named ? std::optional(account) : std::nullopt;
}

GrantOperations GrantableOperations(const Key& key) {
  const bool symmetric =
      KeySpecName(key.spec) == KeySpecName(KeySpec::kSymmetricDefault);
  for (const UsageRow& row : kUsages) {
    if (row.usage == KeyUsageName(key.usage) && row.symmetric == symmetric) {
      return row.operations.With(kOfEveryKey);
    }
  }
  return GrantOperations();  // A usage without a row: nothing is granted.
}

bool MayCreateFrom(const Grant& parent, const Grant& child) {
  return parent.key_row_id == child.key_row_id &&
         parent.operations.Has(Op::kCreateGrant) &&
         child.operations.Without(parent.operations).empty() &&
         AtLeastAsStrict(child.constraints, parent.constraints);
}

}  // namespace kms
