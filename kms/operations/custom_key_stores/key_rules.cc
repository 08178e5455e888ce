// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/custom_key_stores/key_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "kms/operations/custom_key_stores/ask.h"
#include "kms/operations/custom_key_stores/outcomes.h"
#include "kms/operations/custom_key_stores/rules.h"
#include "kms/operations/custom_key_stores/source.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;

constexpr std::string_view kExternal = "EXTERNAL_KEY_STORE";
constexpr std::string_view kCloudHsm = "AWS_CLOUDHSM";

// AWS KMS Developer Guide, "Custom key stores": neither rotation, import and
// Regions nor data key pairs.
constexpr std::array<std::string_view, 12> kNotForSuchKeys = {
    "DeleteImportedKeyMaterial",
    "DisableKeyRotation",
    "EnableKeyRotation",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GetKeyRotationStatus",
    "GetParametersForImport",
    "ImportKeyMaterial",
    "ListKeyRotations",
    "ReplicateKey",
    "RotateKeyOnDemand",
    "UpdatePrimaryRegion"};
static_assert(std::ranges::is_sorted(kNotForSuchKeys));

bool IsPendingDeletion(KeyState state) {
  return state == KeyState::kPendingDeletion ||
         state == KeyState::kPendingReplicaDeletion;
}

Error Invalid(std::string text) {
  return {ErrorCode::kValidation, std::move(text)};
}

// The only kind of key that there is in custom key stores.
base::Status CheckKind(const Call& call) {
  constexpr std::array kFixed = {
      std::pair{"KeySpec", "SYMMETRIC_DEFAULT"},
      std::pair{"CustomerMasterKeySpec", "SYMMETRIC_DEFAULT"},
      std::pair{"KeyUsage", "ENCRYPT_DECRYPT"}};
  for (const auto& [member, value] : kFixed) {
    if (call.Text(member).value_or(value) != value) {
      return Error{
          ErrorCode::kUnsupportedOperation,
          fmt::format("{} must be {} in a custom key store.", member, value)};
    }
  }
  if (call.Flag("MultiRegion")) {
    return Error{ErrorCode::kUnsupportedOperation,
                 "There are no multi-Region keys in custom key stores."};
  }
  return {};
}

base::Status RequireUnused(const Key& key, std::uint64_t keys_already) {
  if (keys_already == 0) {
    return {};
  }
  return Error{ErrorCode::kXksKeyAlreadyInUse,
               fmt::format("The external key {} is a KMS key in custom key "
                           "store {} already.",
                           key.xks_key_id, key.custom_key_store)};
}

}  // namespace

KeyState ShownState(const Environment& environment, const Key& key) {
  if (key.custom_key_store.empty() || IsPendingDeletion(key.state)) {
    return key.state;
  }
  const auto list = environment.custom_key_stores.current();
  const OpenCustomKeyStore* const open = list->Find(key.custom_key_store);
  const bool connected =
      open != nullptr && open->store.state == ConnectionState::kConnected;
  return connected ? key.state : KeyState::kUnavailable;
}

KeyPtr AsShown(const Environment& environment, KeyPtr key) {
  const KeyState state = ShownState(environment, *key);
  if (state == key->state) {
    return key;
  }
  auto shown = std::make_shared<Key>(*key);
  shown->state = state;
  return shown;
}

base::Status CheckServesKey(const Operation& operation, const Key& key) {
  if (key.custom_key_store.empty() ||
      !std::ranges::binary_search(kNotForSuchKeys, operation.name)) {
    return {};
  }
  return Error{ErrorCode::kUnsupportedOperation,
               fmt::format("{} origin is {} which is not valid for this "
                           "operation.",
                           key.Arn(), OriginName(key.origin))};
}

base::Status CheckExternalKeyId(std::string_view id) {
  return id == "." || id == ".."
             ? Invalid(
                   "The id of an external key cannot be \".\" or \"..\": "
                   "whoever passes the requests on to the proxy may take "
                   "it for a step of the path.")
             : base::Status();
}

base::Status CheckCustomKeyStoreMembers(const Call& call) {
  const bool has_store = call.Find("CustomKeyStoreId") != nullptr;
  const bool has_key = call.Find("XksKeyId") != nullptr;
  const std::string_view origin = call.Text("Origin").value_or("");
  if (origin == kExternal) {
    if (!has_store || !has_key) {
      return Invalid(
          "You must specify CustomKeyStoreId and XksKeyId with "
          "Origin EXTERNAL_KEY_STORE.");
    }
    RETURN_IF_ERROR(CheckExternalKeyId(*call.Text("XksKeyId")));
    return CheckKind(call);
  }
  if (has_key) {
    return Invalid(
        "You can specify XksKeyId with Origin EXTERNAL_KEY_STORE "
        "only.");
  }
  if (origin == kCloudHsm) {
    return has_store ? CheckKind(call)
                     : Invalid(
                           "You must specify CustomKeyStoreId with Origin "
                           "AWS_CLOUDHSM.");
  }
  if (has_store) {
    return Invalid(
        "You can specify CustomKeyStoreId with Origin AWS_CLOUDHSM "
        "or EXTERNAL_KEY_STORE only.");
  }
  return {};
}

asio::awaitable<base::Status> CheckExternalKey(Call& call, const Key& key) {
  CO_RETURN_IF_ERROR(RequireConnectedXks(call, key.custom_key_store));
  // Its proxy need not be asked for that. ClaimExternalKey decides.
  CO_ASSIGN_OR_RETURN(const std::uint64_t same,
                      call.environment.store.CountKeysOfCustomKeyStore(
                          key.custom_key_store, key.xks_key_id));
  CO_RETURN_IF_ERROR(RequireUnused(key, same));
  hsm::XksRequest request;
  request.operation = hsm::XksOperation::kMetadata;
  request.external_key_id = key.xks_key_id;
  CO_ASSIGN_OR_RETURN(
      const hsm::XksReply reply,
      co_await AskForCall(call, key.custom_key_store, std::move(request)));
  if (reply.outcome != hsm::XksOutcome::kOk) {
    co_return KeyErrorOf(reply.outcome);
  }
  co_return JudgeKey(reply);
}

base::Status ClaimExternalKey(store::Transaction& transaction, const Key& key) {
  store::CustomKeyStores& rows = transaction.custom_key_stores();
  const auto store = rows.GetCustomKeyStore(key.custom_key_store);
  if (!store && store.error().code == ErrorCode::kNotFound) {
    return NoSuchCustomKeyStore(key.custom_key_store);
  }
  RETURN_IF_ERROR(store);
  RETURN_IF_ERROR(RequireStoreState(*store, {ConnectionState::kConnected}));
  ASSIGN_OR_RETURN(const std::uint64_t same,
                   rows.CountKeys(key.custom_key_store, key.xks_key_id));
  return RequireUnused(key, same);
}

}  // namespace kms::operations
