// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "kms/key_spec.h"
#include "kms/operations/aliases.h"
#include "kms/operations/handlers.h"
#include "kms/operations/resolve.h"

namespace kms::operations {

namespace {

std::string_view KeyType(const Key& key) {
  if (key.spec == KeySpec::kSymmetricDefault) {
    return "SYMMETRIC";
  }
  return IsKeyPair(key.spec) ? "ASYMMETRIC" : "HMAC";
}

// AWS KMS API Reference, UpdateAlias: whoever uses the alias must not be
// surprised by a key that cannot do the same.
base::Status CheckReplacement(const Alias& alias, const Key& old_key,
                              const Key& key) {
  const auto refusal = [&](std::string_view what, std::string_view from,
                           std::string_view to) {
    return base::Error{
        base::ErrorCode::kValidation,
        fmt::format("Alias {} cannot be changed from a CMK with key {} {} to a "
                    "CMK with key {} {}",
                    alias.Arn(), what, from, what, to)};
  };
  if (KeyType(old_key) != KeyType(key)) {
    return refusal("type", KeyType(old_key), KeyType(key));
  }
  if (old_key.usage != key.usage) {
    return refusal("usage", KeyUsageName(old_key.usage),
                   KeyUsageName(key.usage));
  }
  return {};
}

}  // namespace

base::Status ResolveUpdateAlias(Call& call) {
  const std::string_view name = *call.Text("AliasName");
  ASSIGN_OR_RETURN(call.key, FindTargetKey(call));
  auto alias = call.environment.store.FindAlias(call.request.caller.account,
                                                call.request.region, name);
  if (!alias && alias.error().code == base::ErrorCode::kNotFound) {
    return NoSuchAlias(call, name);
  }
  ASSIGN_OR_RETURN(call.alias, std::move(alias));
  ASSIGN_OR_RETURN(const KeyPtr old_key,
                   call.environment.store.FindKey(call.alias->key_row_id));
  AddAliasCheck(call, call.operation.action, name);
  // An alias may leave a key that is pending deletion, not move to one.
  AddKeyCheck(call, call.operation.action, old_key, kAnyState);
  AddKeyCheck(call, call.operation.action, call.key, call.operation.states);
  return {};
}

Answer UpdateAlias(Call& call) {
  const std::string name = call.alias->name;
  auto change = [&call,
                 &name](store::Transaction& transaction) -> base::Status {
    auto alias =
        transaction.GetAlias(call.key->account, call.key->region, name);
    if (!alias && alias.error().code == base::ErrorCode::kNotFound) {
      return NoSuchAlias(call, name);
    }
    RETURN_IF_ERROR(alias);
    ASSIGN_OR_RETURN(const Key key, transaction.GetKey(call.key->row_id));
    RETURN_IF_ERROR(CheckState(call.operation.states, key));
    ASSIGN_OR_RETURN(const Key old_key, transaction.GetKey(alias->key_row_id));
    RETURN_IF_ERROR(CheckReplacement(*alias, old_key, key));
    ASSIGN_OR_RETURN(const std::uint64_t count,
                     transaction.CountAliases(key.row_id));
    if (alias->key_row_id != key.row_id && count >= kMaxAliasesPerKey) {
      return base::Error{
          base::ErrorCode::kLimitExceeded,
          fmt::format("{} has {} aliases already, which is the limit.",
                      key.Arn(), count)};
    }
    alias->key_row_id = key.row_id;
    alias->updated = call.now;
    return transaction.UpdateAlias(*alias);
  };
  CO_RETURN_IF_ERROR(co_await call.Commit(change));
  co_return Reply();
}

}  // namespace kms::operations
