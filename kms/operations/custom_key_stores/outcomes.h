// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_CUSTOM_KEY_STORES_OUTCOMES_H_
#define KMS_OPERATIONS_CUSTOM_KEY_STORES_OUTCOMES_H_

#include <optional>
#include <string_view>

#include "base/result.h"
#include "hsm/client/client.h"

// What the answers of an external key store's proxy, and their absence, become
// in the words of the API. docs/custom-key-stores.md.
namespace kms::operations {

struct XksOutcomeRow {
  hsm::XksOutcome outcome;
  base::ErrorCode of_store;  // CreateCustomKeyStore, UpdateCustomKeyStore.
  base::ErrorCode of_key;    // CreateKey.
  // Of ConnectCustomKeyStore, in the state FAILED.
  std::string_view connection_error_code;
  std::string_view text;  // What clients are told.
};

// The ConnectionErrorCode of what is this server's own trouble, and of a
// cluster and an endpoint service that the configuration does not have.
inline constexpr std::string_view kConnectionInternalError = "INTERNAL_ERROR";
inline constexpr std::string_view kClusterNotFound = "CLUSTER_NOT_FOUND";
inline constexpr std::string_view kVpcServiceNotFound =
    "XKS_VPC_ENDPOINT_SERVICE_NOT_FOUND";

// There is a row for every outcome but kOk; kInternal's for what is none.
const XksOutcomeRow& RowOf(hsm::XksOutcome outcome);

// Trouble of our own, which says nothing of the proxy or the cluster: the
// ConnectionErrorCode of what asked a proxy, and whether it may pass.
struct OwnTroubleRow {
  base::ErrorCode code;
  std::string_view connection_error_code;
  bool may_pass;
};
const OwnTroubleRow& OwnTroubleOf(base::ErrorCode code);

// The error of an outcome that is not kOk, where a store is created or updated,
// where a key is created, and where a key is used: kInvalidState, always.
base::Error StoreErrorOf(hsm::XksOutcome outcome);
base::Error KeyErrorOf(hsm::XksOutcome outcome);
base::Error UseErrorOf(hsm::XksOutcome outcome);

// What the answer to a request for the health of a proxy comes to: one behind
// which every key manager is unavailable cannot be reached.
hsm::XksOutcome JudgeHealth(const hsm::XksReply& reply);

// Whether what a proxy says of an external key lets it be a KMS key. Fails with
// kXksKeyInvalidConfiguration, saying what is wrong.
base::Status JudgeKey(const hsm::XksReply& reply);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_CUSTOM_KEY_STORES_OUTCOMES_H_
