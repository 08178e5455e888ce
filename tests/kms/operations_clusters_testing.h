// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_KMS_OPERATIONS_CLUSTERS_TESTING_H_
#define TESTS_KMS_OPERATIONS_CLUSTERS_TESTING_H_

#include <memory>
#include <string>
#include <string_view>

#include "tests/kms/operations_custom_key_stores_testing.h"

namespace kms::operations {

inline constexpr std::string_view kCluster = "cluster-2abcdefghij";
// Of the same token; it has no keys there yet.
inline constexpr std::string_view kOtherCluster = "cluster-3abcdefghij";
inline constexpr std::string_view kPassword = "kmsPswd1-of-the-token";
extern const std::string trust_anchor;

// A server whose configuration has a second key store, on a token of its own,
// for custom key stores of the type AWS_CLOUDHSM: the cluster kCluster.
class ClustersTest : public CustomKeyStoresTest {
 protected:
  // Starts the workers, which must be before the first thread.
  static void SetUpTestSuite();

  ClustersTest() { AddCluster(kCluster); }
  ~ClustersTest() override { StopWorkers(); }

  // One more key store of the configuration, called as its id or by `name`.
  void AddCluster(std::string_view id, std::string_view name = {});
  // Has wrong passwords counted by a worker that nobody else uses, and has
  // heard none; has another process take the place of that one.
  void UseOtherWorkers();
  void ReplaceOtherWorkers();
  void StopWorkers();
  void RestartWithout() {
    StopWorkers();
    RestartAll();
  }
  void RestartWith() {
    RestartWithout();
    AddCluster(kCluster);
  }
  KeyStore& cluster() { return *environment().key_stores.OfCluster(kCluster); }

  static nlohmann::json ClusterInput(std::string_view name = "cluster",
                                     std::string_view cluster_id = kCluster);
  // The id of a new store with that password; of one that is connected.
  std::string NewCluster(std::string_view password = kPassword);
  std::string NewConnectedCluster();
  void Connect(const std::string& id) {
    testlib::Take(OnStore("ConnectCustomKeyStore", id));
    ConnectPending();
  }
  void Disconnect(const std::string& id) {
    testlib::Take(OnStore("DisconnectCustomKeyStore", id));
  }
  base::Result<nlohmann::json> Update(const std::string& id,
                                      std::string_view member,
                                      std::string_view value);
  // Changes the store's row behind the server's back.
  void ChangeRow(const std::string& id,
                 const std::function<void(CustomKeyStore&)>& change);

  base::Result<nlohmann::json> CreateKeyIn(const std::string& store);
  // The id of a new key in a store.
  std::string NewKeyIn(const std::string& store);
  hsm::Locator LocatorOf(const std::string& key);
  // Whether the token of the cluster has it.
  bool InCluster(const hsm::Locator& locator);
  std::size_t CountInCluster();

 private:
  void Start(const std::string& socket);

  std::unique_ptr<hsm::client::Client> client_;
};

}  // namespace kms::operations

#endif  // TESTS_KMS_OPERATIONS_CLUSTERS_TESTING_H_
