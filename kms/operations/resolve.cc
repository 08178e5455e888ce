// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/resolve.h"

#include <fmt/format.h>

#include "kms/key_id.h"
#include "kms/operations/authorize.h"
#include "kms/operations/context.h"
#include "policy/evaluate.h"

namespace kms::operations {
namespace {

using base::Error;
using base::ErrorCode;

// AWS's answer to a ciphertext that names no key the caller may use: it does
// not tell whether there is one.
constexpr std::string_view kNoSuchCiphertextKey =
    "The ciphertext refers to a customer master key that does not exist, does "
    "not exist in this region, or you are not allowed to access.";

// AWS's sentence for a key of another account, whether it is there or not.
constexpr std::string_view kForeignDenial =
    "the resource does not exist in this Region, no resource-based policies "
    "allow access, or a resource-based policy explicitly denies access";

Error InvalidKeyId(std::string_view text) {
  return {ErrorCode::kNotFound, fmt::format("Invalid keyId '{}'", text)};
}

base::Result<KeyPtr> FindByAlias(Call& call, std::string_view account,
                                 std::string_view name) {
  const std::string_view region = call.request.region;
  const auto no_such_alias = [&] {
    return Error{
        ErrorCode::kNotFound,
        fmt::format("Alias {} is not found.", AliasArn(region, account, name))};
  };
  auto alias = call.environment.store.FindAlias(account, region, name);
  if (!alias && alias.error().code == ErrorCode::kNotFound) {
    return no_such_alias();
  }
  RETURN_IF_ERROR(alias);
  ASSIGN_OR_RETURN(KeyPtr key,
                   call.environment.store.FindKey(alias->key_row_id));
  if (key->destroying) {
    return no_such_alias();
  }
  call.request_alias = name;
  return key;
}

// A key of another account that is not there is refused as if it were, and let
// the caller do nothing.
base::Error NoForeignKey(Call& call, const Check& check) {
  const base::Status built = BuildContext(call, check);
  if (!built) {
    return base::Error(built.error());
  }
  const policy::Decision decision = call.environment.authorizer.Authorize(
      call.request.caller, QuestionOf(call, check), {}, nullptr);
  return AccessDenied(call, check, decision);
}

// Whether the account of the resource, which is not the caller's, has denied.
bool IsForeignDenial(const Call& call, const Check& check,
                     const policy::Decision& decision) {
  return check.account != call.request.caller.account &&
         check.action.starts_with("kms:") &&
         policy::IsOfResource(decision.layer);
}

}  // namespace

base::Error NoSuchKey(std::string_view region, std::string_view account,
                      std::string_view id) {
  return {ErrorCode::kNotFound,
          fmt::format("Key '{}' does not exist", KeyArn(region, account, id))};
}

base::Result<KeyPtr> FindKeyInRegion(Call& call, std::string_view region,
                                     std::string_view account,
                                     std::string_view id) {
  if (!ParseKeyId(id)) {
    return InvalidKeyId(id);
  }
  auto key = call.environment.store.FindKey(KeyRowId(id, region));
  if (!key && key.error().code != ErrorCode::kNotFound) {
    return Error(std::move(key).error());
  }
  const bool there = key && (*key)->account == account &&
                     (*key)->region == region && !(*key)->destroying;
  if (there) {
    return key;
  }
  if (account != call.request.caller.account) {
    return NoForeignKey(call, {.action = call.operation.action,
                               .resource = KeyArn(region, account, id),
                               .account = std::string(account)});
  }
  return NoSuchKey(region, account, id);
}

base::Error AccessDenied(const Call& call, const Check& check,
                         const policy::Decision& decision) {
  if (call.web_identity) {
    return {ErrorCode::kAccessDenied,
            fmt::format("Not authorized to perform {}", check.action)};
  }
  if (check.key != nullptr && check.key == call.foreign_key) {
    return {ErrorCode::kAccessDenied, std::string(kNoSuchCiphertextKey)};
  }
  policy::Request request;
  request.action = check.action;
  request.resource = check.shown.empty() ? check.resource : check.shown;
  request.principal = call.request.caller.arn;
  policy::Decision told = decision;
  if (check.action.starts_with("sts:")) {
    told = {};  // Whether a role is there, and whom it trusts, is not told.
  } else if (IsForeignDenial(call, check, decision)) {
    told = {.reason = kForeignDenial};
  }
  return {ErrorCode::kAccessDenied, policy::AccessDeniedText(request, told)};
}

base::Result<KeyPtr> FindKey(Call& call, std::string_view text,
                             KeyForms forms) {
  ASSIGN_OR_RETURN(const KeyReference reference, ParseKeyReference(text));
  if (reference.is_arn && reference.region != call.request.region) {
    return Error{ErrorCode::kNotFound,
                 fmt::format("Invalid arn {}", reference.region)};
  }
  const std::string_view account =
      reference.is_arn ? reference.account : call.request.caller.account;
  if (!reference.is_alias) {
    return FindKeyInRegion(call, call.request.region, account, reference.name);
  }
  if (forms != KeyForms::kAny) {
    return InvalidKeyId(text);
  }
  return FindByAlias(call, account, reference.name);
}

base::Result<KeyPtr> FindCiphertextKey(
    Call& call, const Ciphertext& ciphertext,
    std::optional<std::string_view> key_text) {
  const std::string id = KeyIdText(ciphertext.header.key_id);
  if (key_text) {
    ASSIGN_OR_RETURN(KeyPtr key, FindKey(call, *key_text, KeyForms::kAny));
    if (key->id != id) {
      return Error{ErrorCode::kIncorrectKey,
                   "The key ID in the request does not identify a CMK that can "
                   "perform this operation."};
    }
    return key;
  }
  auto key = call.environment.store.FindKey(KeyRowId(id, call.request.region));
  if (!key && key.error().code != ErrorCode::kNotFound) {
    return Error(std::move(key).error());
  }
  const bool there =
      key && (*key)->region == call.request.region && !(*key)->destroying;
  if (!there) {
    return Error{ErrorCode::kAccessDenied, std::string(kNoSuchCiphertextKey)};
  }
  if ((*key)->account != call.request.caller.account) {
    call.foreign_key = *key;
  }
  return key;
}

void AddKeyCheck(Call& call, std::string_view action, const KeyPtr& key,
                 States states) {
  call.checks.push_back({action, key->Arn(), key->account, key, states});
}

void AddAliasCheck(Call& call, std::string_view action, std::string_view name) {
  const std::string& account = call.request.caller.account;
  call.checks.push_back(
      {action, AliasArn(call.request.region, account, name), account, {}});
}

base::Status ResolveNothing(Call& call) {
  call.checks.push_back(
      {call.operation.action, "*", call.request.caller.account, {}});
  return {};
}

base::Status ResolveKeyId(Call& call) {
  ASSIGN_OR_RETURN(
      call.key, FindKey(call, *call.Text("KeyId"), call.operation.key_forms));
  AddKeyCheck(call, call.operation.action, call.key, call.operation.states);
  return {};
}

base::Status ResolveOptionalKeyId(Call& call) {
  return call.Text("KeyId") ? ResolveKeyId(call) : ResolveNothing(call);
}

}  // namespace kms::operations
