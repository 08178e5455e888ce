// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/managed_key.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "base/random.h"
#include "kms/key_id.h"
#include "kms/managed_keys.h"
#include "kms/operations/new_material.h"
#include "kms/operations/outbox.h"
#include "kms/operations/service_event.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using base::ErrorCode;

// The operations that are a use of a key which nobody has used before, and the
// member that names it. Nothing can be decrypted with such a key.
struct FirstUse {
  std::string_view operation;
  std::string_view member;
};
constexpr std::array kFirstUses = {
    FirstUse{"DescribeKey", "KeyId"},
    FirstUse{"Encrypt", "KeyId"},
    FirstUse{"GenerateDataKey", "KeyId"},
    FirstUse{"GenerateDataKeyPair", "KeyId"},
    FirstUse{"GenerateDataKeyPairWithoutPlaintext", "KeyId"},
    FirstUse{"GenerateDataKeyWithoutPlaintext", "KeyId"},
    FirstUse{"ReEncrypt", "DestinationKeyId"},
};

// Whether `text` is the alias of the service's own key in the account and the
// Region of this call.
bool NamesOwnKey(const Call& call, std::string_view text) {
  const Caller& caller = call.request.caller;
  const auto reference = ParseKeyReference(text);
  if (!reference || !reference->is_alias ||
      reference->name != ManagedKeyAlias(caller.service)) {
    return false;
  }
  return !reference->is_arn || (reference->account == caller.account &&
                                reference->region == call.request.region);
}

bool IsFirstUse(const Call& call) {
  if (call.request.caller.kind != CallerKind::kService || call.Flag("DryRun")) {
    return false;
  }
  const auto* const use =
      std::ranges::find(kFirstUses, call.operation.name, &FirstUse::operation);
  if (use == kFirstUses.end()) {
    return false;
  }
  const auto text = call.Text(use->member);
  return text && NamesOwnKey(call, *text);
}

Key DescribeManagedKey(const Call& call) {
  const Caller& caller = call.request.caller;
  KeyIdBytes id;
  id.bytes = base::NewUuid().bytes;
  Key key;
  key.id = KeyIdText(id);
  key.account = caller.account;
  key.region = call.request.region;
  key.row_id = KeyRowId(key.id, key.region);
  key.description = fmt::format(
      "Default key of {} in this account when no other key is chosen",
      caller.service);
  key.created = call.now;
  key.policy = ManagedKeyPolicy(caller.service, key.account, key.region);
  key.rotation =
      RotationSchedule{kManagedKeyRotationDays,
                       call.now + std::chrono::days(kManagedKeyRotationDays)};
  key.managing_service = caller.service;
  key.key_store = call.environment.key_stores.OfRegion(key.region).name;
  return key;
}

Alias AliasOf(const Key& key) {
  return {.account = key.account,
          .region = key.region,
          .name = ManagedKeyAlias(key.managing_service),
          .key_row_id = key.row_id,
          .created = key.created,
          .updated = key.created};
}

// kAlreadyExists if another first use was quicker: the alias is there once.
asio::awaitable<base::Status> CommitManagedKey(Environment& environment,
                                               const Key& key) {
  const Alias alias = AliasOf(key);
  ServiceStep step = {.subject = SubjectOf(key), .name = "CreateKey"};
  step.details = {{"keyId", key.id},
                  {"aliasName", alias.name},
                  {"managingService", key.managing_service}};
  auto insert = [&](store::Transaction& transaction) -> base::Status {
    RETURN_IF_ERROR(transaction.InsertKey(key));
    RETURN_IF_ERROR(transaction.InsertAlias(alias));
    return SettleMaterial(transaction, key.CurrentMaterial());
  };
  auto event = co_await CommitStep(environment, step, insert);
  if (!event) {
    co_await AbandonMaterial(environment, key.CurrentMaterial());
    co_return base::Error(std::move(event).error());
  }
  co_return co_await AppendCommitted(environment, *std::move(event));
}

asio::awaitable<base::Status> MakeManagedKey(const Call& call) {
  Key key = DescribeManagedKey(call);
  CO_ASSIGN_OR_RETURN(KeyMaterial material,
                      co_await MakeMaterial(call.environment, key, call.now));
  key.materials.push_back(std::move(material));
  const base::Status committed =
      co_await CommitManagedKey(call.environment, key);
  if (!committed && committed.error().code == ErrorCode::kAlreadyExists) {
    co_return base::Status();
  }
  co_return committed;
}

}  // namespace

asio::awaitable<base::Status> EnsureManagedKey(Call& call) {
  if (!IsFirstUse(call)) {
    co_return base::Status();
  }
  const Caller& caller = call.request.caller;
  const auto found = call.environment.store.FindAlias(
      caller.account, call.request.region, ManagedKeyAlias(caller.service));
  if (found) {
    co_return base::Status();
  }
  if (found.error().code != ErrorCode::kNotFound) {
    co_return base::Error(found.error());
  }
  co_return co_await MakeManagedKey(call);
}

}  // namespace kms::operations
