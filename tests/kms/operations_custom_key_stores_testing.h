// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_KMS_OPERATIONS_CUSTOM_KEY_STORES_TESTING_H_
#define TESTS_KMS_OPERATIONS_CUSTOM_KEY_STORES_TESTING_H_

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kms/operations/bootstrap.h"
#include "kms/operations/custom_key_stores/chores.h"
#include "kms/operations/custom_key_stores/load.h"
#include "kms/operations/xks_caller.h"
#include "tests/kms/operations_testing.h"

namespace kms::operations {

// What a test asks of a request that a proxy got.
struct SeenXksRequest {
  hsm::XksOperation operation{};
  std::string endpoint;
  std::string path;
  std::string region;
  std::string access_key_id;
  std::string secret;
  std::string external_key_id;
  std::string kms_request_id;
  std::string kms_operation;
  std::string principal_arn;
  std::string key_arn;
  std::string via_service;
  base::Bytes aad;
  base::Bytes plaintext;
};

// All proxies of the world: they have AES-256 keys, encrypt with AES-GCM, and
// fail or lie as they are told.
class FakeXks final : public XksCaller {
 public:
  hsm::client::Awaitable<hsm::XksReply> Ask(hsm::XksRequest request) override;

  std::set<std::string> keys = {"key-1", "key-2"};
  std::optional<base::ErrorCode> error;  // Of the way to the proxy, our side.
  hsm::XksOutcome outcome = hsm::XksOutcome::kOk;
  // So many requests are not sent: those before them have timed out.
  int refused = 0;
  std::string words = "words of the proxy";
  // Changes a good answer.
  std::function<void(hsm::XksReply&)> lie;
  // Happens while the request is out.
  std::function<boost::asio::awaitable<void>()> meanwhile;

  // For so many turns of the io thread each request is out.
  int turns = 0;

  std::vector<SeenXksRequest> seen;
  int out = 0;
  int most_out = 0;  // At a time.
};

inline constexpr std::string_view kXksAccessKeyId = "ABCDEFGHIJKLMNOPQRST";
inline constexpr std::string_view kXksSecret =
    "not/a+secret/only+made+up+for+this+test/0000";

// A server that has asked external key stores since its start.
class CustomKeyStoresTest : public OperationsTest {
 protected:
  CustomKeyStoresTest() { Begin(); }

  // What the process does when it starts.
  void Begin();
  void RestartAll() {
    Restart();
    Begin();
  }

  static nlohmann::json StoreInput(std::string_view name = "store",
                                   std::string_view path = "/kms/xks/v1");
  static nlohmann::json Credential(std::string_view access_key_id,
                                   std::string_view secret);

  // The id of a new store; of one that is connected.
  std::string NewStore(std::string_view name = "store",
                       std::string_view path = "/kms/xks/v1");
  std::string NewConnectedStore();

  base::Result<nlohmann::json> OnStore(std::string_view operation,
                                       const std::string& id) {
    return Ask(operation, {{"CustomKeyStoreId", id}});
  }
  // A round of housekeeping.
  void ConnectPending() {
    testlib::Take(Run(ConnectPendingStores(environment())));
  }
  // The last event of this name in the audit log.
  nlohmann::json LastEvent(std::string_view name) const;
  // The store's entry in DescribeCustomKeyStores.
  nlohmann::json Entry(const std::string& id);
  // Its state, and after FAILED the reason.
  std::string State(const std::string& id);

  base::Result<nlohmann::json> CreateExternalKey(const std::string& store,
                                                 std::string_view xks_key_id);
  // The id of a new key in a store.
  std::string NewExternalKey(const std::string& store,
                             std::string_view xks_key_id = "key-1");
  std::string KeyState(const std::string& key);

  FakeXks xks_;
};

}  // namespace kms::operations

#endif  // TESTS_KMS_OPERATIONS_CUSTOM_KEY_STORES_TESTING_H_
