// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/custom_key_stores/clusters.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/log.h"
#include "kms/certificate.h"
#include "kms/operations/custom_key_stores/ask.h"
#include "kms/operations/custom_key_stores/load.h"
#include "kms/operations/custom_key_stores/outcomes.h"
#include "kms/operations/custom_key_stores/rules.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;

constexpr std::string_view kInvalidCredentials = "INVALID_CREDENTIALS";
constexpr std::string_view kNoHsms = "INSUFFICIENT_CLOUDHSM_HSMS";
constexpr std::string_view kNetworkErrors = "NETWORK_ERRORS";
constexpr std::string_view kUserLockedOut = "USER_LOCKED_OUT";

bool IsInCluster(const Key& key) { return key.origin == Origin::kAwsCloudHsm; }

std::uint64_t CountOf(const store::WrongPasswords& counts,
                      const CustomKeyStore& store) {
  const auto it = counts.find(store.cloud_hsm_cluster_id);
  return it == counts.end() ? 0 : it->second;
}

// AWS KMS API Reference, ConnectionErrorCode: what keeps the workers from
// saying whether the password is right.
std::string_view ConnectionErrorOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kLimitExceeded:
      return kUserLockedOut;
    case ErrorCode::kHsmUnavailable:
      return kNoHsms;
    case ErrorCode::kTimeout:
      return kNetworkErrors;
    default:
      return kConnectionInternalError;
  }
}

}  // namespace

base::Result<KeyStore*> ClusterOf(Environment& environment,
                                  const CustomKeyStore& store) {
  KeyStore* const key_store =
      environment.key_stores.OfCluster(store.cloud_hsm_cluster_id);
  if (key_store == nullptr) {
    return Error{ErrorCode::kCloudHsmClusterNotFound,
                 fmt::format("There is no CloudHSM cluster {}. The server's "
                             "operator can configure a key store with this "
                             "cluster_id.",
                             store.cloud_hsm_cluster_id)};
  }
  if (!store.key_store.empty() && store.key_store != key_store->name) {
    return Error{
        ErrorCode::kCloudHsmClusterNotFound,
        fmt::format("CloudHSM cluster {} is not what it was: the server's "
                    "configuration gives this cluster_id to key store '{}', "
                    "but custom key store {} was connected to key store '{}', "
                    "which has its keys. The server's operator must give that "
                    "one its cluster_id back.",
                    store.cloud_hsm_cluster_id, key_store->name, store.id,
                    store.key_store)};
  }
  return key_store;
}

base::Status CheckClusterIsFree(const CustomKeyStore& store,
                                std::span<const CustomKeyStore> stores) {
  const bool is_taken =
      std::ranges::any_of(stores, [&store](const CustomKeyStore& other) {
        return other.id != store.id &&
               other.type == CustomKeyStoreType::kAwsCloudHsm &&
               other.cloud_hsm_cluster_id == store.cloud_hsm_cluster_id;
      });
  if (!is_taken) {
    return {};
  }
  // Not by which: that may be somebody else's.
  return Error{
      ErrorCode::kCloudHsmClusterInUse,
      fmt::format("CloudHSM cluster {} is in use by a custom key store "
                  "already.",
                  store.cloud_hsm_cluster_id)};
}

base::Status CheckTrustAnchor(std::string_view pem) {
  if (!IsPemCertificate(pem)) {
    return Error{ErrorCode::kIncorrectTrustAnchor,
                 "TrustAnchorCertificate is not one X.509 certificate in PEM "
                 "form."};
  }
  return {};
}

asio::awaitable<base::Result<std::string_view>> TryCluster(
    Environment& environment, const CustomKeyStore& store) {
  const auto key_store = ClusterOf(environment, store);
  if (!key_store) {
    base::LogWarning("connecting custom key store {}: {}", store.id,
                     key_store.error().message);
    co_return kClusterNotFound;
  }
  CO_ASSIGN_OR_RETURN(const auto rows, environment.store.ReadCustomKeyStores());
  const std::uint64_t wrong = CountOf(rows.wrong_passwords, store);
  if (wrong >= kMostWrongPasswords) {
    co_return kUserLockedOut;
  }
  hsm::CheckPinRequest request;
  CO_ASSIGN_OR_RETURN(request.pin,
                      co_await OpenStoreSecret(environment, store));
  const auto checked = co_await (*key_store)->hsm.Call(std::move(request));
  if (checked) {
    if (checked->is_right) {
      co_return std::string_view();
    }
    base::LogWarning(
        "custom key store {} has a wrong password, the {}. of {} in a row for "
        "CloudHSM cluster {}",
        store.id, wrong + 1, kMostWrongPasswords, store.cloud_hsm_cluster_id);
    co_return kInvalidCredentials;
  }
  if (checked.error().code == ErrorCode::kThrottled) {
    co_return Error(checked.error());
  }
  base::LogWarning("connecting custom key store {}: {}", store.id,
                   checked.error().message);
  co_return ConnectionErrorOf(checked.error().code);
}

base::Status CountPassword(store::CustomKeyStores& rows,
                           const CustomKeyStore& store,
                           std::string_view error_code) {
  const bool is_right = error_code.empty();
  if (store.type != CustomKeyStoreType::kAwsCloudHsm ||
      (!is_right && error_code != kInvalidCredentials)) {
    return {};
  }
  ASSIGN_OR_RETURN(const store::WrongPasswords counts,
                   rows.GetWrongPasswords());
  return rows.SetWrongPasswords(store.cloud_hsm_cluster_id,
                                is_right ? 0 : CountOf(counts, store) + 1);
}

base::Result<bool> ForgetWrongPasswords(store::Store& store) {
  ASSIGN_OR_RETURN(const auto rows, store.ReadCustomKeyStores());
  if (rows.wrong_passwords.empty()) {
    return false;
  }
  auto forget = [&rows](store::Transaction& transaction) -> base::Status {
    for (const auto& [cluster_id, count] : rows.wrong_passwords) {
      RETURN_IF_ERROR(
          transaction.custom_key_stores().SetWrongPasswords(cluster_id, 0));
    }
    return {};
  };
  RETURN_IF_ERROR(store.WriteNow(forget));
  return true;
}

base::Result<ClusterPass> EnterCluster(Call& call, std::string_view id) {
  ASSIGN_OR_RETURN(const OpenCustomKeyStore open, FindCustomKeyStore(call, id));
  if (open.store.type != CustomKeyStoreType::kAwsCloudHsm) {
    return Error{ErrorCode::kUnsupportedOperation,
                 fmt::format("Custom key store {} is an external key store; "
                             "for this operation it must be of type "
                             "AWS_CLOUDHSM.",
                             id)};
  }
  RETURN_IF_ERROR(RequireStoreState(open.store, {ConnectionState::kConnected}));
  const auto key_store = ClusterOf(call.environment, open.store);
  if (!key_store) {
    return Error{ErrorCode::kCustomKeyStoreInvalidState,
                 key_store.error().message};
  }
  auto pass = call.environment.custom_key_stores.Admit(id);
  if (!pass) {
    return Error{ErrorCode::kCustomKeyStoreInvalidState,
                 fmt::format("Custom key store {} is not connected.", id)};
  }
  return ClusterPass{*std::move(pass), **key_store,
                     open.store.cloud_hsm_cluster_id};
}

base::Status CheckStillInCluster(store::Transaction& transaction,
                                 const Key& key, std::string_view cluster_id) {
  store::CustomKeyStores& rows = transaction.custom_key_stores();
  auto store = rows.GetCustomKeyStore(key.custom_key_store);
  if (!store && store.error().code == ErrorCode::kNotFound) {
    return NoSuchCustomKeyStore(key.custom_key_store);
  }
  RETURN_IF_ERROR(store);
  RETURN_IF_ERROR(RequireStoreState(*store, {ConnectionState::kConnected}));
  if (store->cloud_hsm_cluster_id != cluster_id ||
      (!store->key_store.empty() && store->key_store != key.key_store)) {
    return Error{ErrorCode::kCustomKeyStoreInvalidState,
                 fmt::format("Custom key store {} has got another cluster "
                             "meanwhile. Try again.",
                             store->id)};
  }
  if (!store->key_store.empty()) {
    return {};
  }
  // One that an earlier release has connected does not know it yet.
  store->key_store = key.key_store;
  return rows.UpdateCustomKeyStore(*store);
}

base::Result<std::optional<CustomKeyStoreSource::Pass>> EnterClusterOf(
    Call& call, const Key& key) {
  if (!IsInCluster(key)) {
    return std::nullopt;
  }
  auto pass = call.environment.custom_key_stores.Admit(key.custom_key_store);
  if (!pass) {
    return Error{ErrorCode::kInvalidState,
                 fmt::format("{} is unavailable.", key.Arn())};
  }
  return pass;
}

std::string ClusterIdOf(const Environment& environment, const Key& key) {
  if (!IsInCluster(key)) {
    return "";
  }
  const auto list = environment.custom_key_stores.current();
  const OpenCustomKeyStore* const open = list->Find(key.custom_key_store);
  return open == nullptr ? "" : open->store.cloud_hsm_cluster_id;
}

}  // namespace kms::operations
