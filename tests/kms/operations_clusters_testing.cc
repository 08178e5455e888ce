// SPDX-License-Identifier: Apache-2.0
#include "tests/kms/operations_clusters_testing.h"

#include <algorithm>

#include "hsm/client/ask.h"
#include "tests/fakes/softhsm_token.h"
#include "tests/hsm/supervised.h"

namespace kms::operations {

// Made for this test; nobody has its key.
const std::string trust_anchor =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBfDCCASGgAwIBAgIUSFTjsoleh1xjoW+TYk53RP3M9UkwCgYIKoZIzj0EAwIw\n"
    "EjEQMA4GA1UEAwwHY2x1c3RlcjAgFw0yNjExMjcxOTI2MzNaGA8yMTI2MTEwMzE5\n"
    "MjYzM1owEjEQMA4GA1UEAwwHY2x1c3RlcjBZMBMGByqGSM49AgEGCCqGSM49AwEH\n"
    "A0IABEHDH4/3l288fgdDb5MN7xvQdxt50HSEMqJqSRt5QlJSymqDC5XwMa+smbP6\n"
    "uYl5GFtWB4zocqNvbEiF2eMNRvSjUzBRMB0GA1UdDgQWBBShboVcCjkgQVUdHgln\n"
    "ilX1cPXLOTAfBgNVHSMEGDAWgBShboVcCjkgQVUdHglnilX1cPXLOTAPBgNVHRMB\n"
    "Af8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQD9eGspkMOliFF2UIVHCUMxKSUs\n"
    "w3gatShbaupUue/w4gIhAOmMoKcXRTXdfcOihWhR3xuddUSb00RD+OBupjReQIkV\n"
    "-----END CERTIFICATE-----\n";

namespace {

using nlohmann::json;

// The token of the clusters, its workers, and one more that may be locked.
struct ClusterWorkers {
  ClusterWorkers() {
    for (hsm_test::Supervised* const each : {&supervised, &lockable}) {
      each->options().prepare = hsm::OnToken(
          [this] { return hsm::token::Token::Open(token.Config(), clock); });
      each->Start();
    }
  }

  base::RealClock clock;
  fakes::SoftHsmToken token{"/dev/shm", std::string(kPassword)};
  hsm_test::Supervised supervised{1};
  hsm_test::Supervised lockable{1};
};

ClusterWorkers& TheClusterWorkers() {
  static ClusterWorkers workers;
  return workers;
}

}  // namespace

void ClustersTest::SetUpTestSuite() {
  CustomKeyStoresTest::SetUpTestSuite();
  TheClusterWorkers();
}

void ClustersTest::Start(const std::string& socket) {
  client_ = std::make_unique<hsm::client::Client>(
      io(),
      hsm::client::ClientConfig{.key_store = std::string(kCluster),
                                .supervisor_socket = socket,
                                .workers = 1},
      clock_);
  testlib::Take(Run(client_->Start()));
}

void ClustersTest::AddCluster(std::string_view id, std::string_view name) {
  if (client_ == nullptr) {
    Start(TheClusterWorkers().supervised.socket_path());
  }
  environment().key_stores.all().push_back(
      {.name = std::string(name.empty() ? id : name),
       .hsm = *client_,
       .cluster_id = std::string(id),
       .algorithm = algorithm_});
}

void ClustersTest::UseOtherWorkers() {
  StopWorkers();
  environment().key_stores.all().pop_back();
  ReplaceOtherWorkers();
  Start(TheClusterWorkers().lockable.socket_path());
  AddCluster(kCluster);
}

void ClustersTest::ReplaceOtherWorkers() {
  testlib::Take(Run(hsm::client::AskReplace(
      TheClusterWorkers().lockable.socket_path(), 0, hsm::kWhicheverServes)));
}

void ClustersTest::StopWorkers() {
  if (client_ != nullptr) {
    client_->Stop();
  }
  client_.reset();
}

json ClustersTest::ClusterInput(std::string_view name,
                                std::string_view cluster_id) {
  return {{"CustomKeyStoreName", name},
          {"CloudHsmClusterId", cluster_id},
          {"TrustAnchorCertificate", trust_anchor},
          {"KeyStorePassword", kPassword}};
}

std::string ClustersTest::NewCluster(std::string_view password) {
  json input = ClusterInput();
  input["KeyStorePassword"] = password;
  return testlib::Take(Ask("CreateCustomKeyStore", input))
      .at("CustomKeyStoreId");
}

std::string ClustersTest::NewConnectedCluster() {
  std::string id = NewCluster();
  Connect(id);
  EXPECT_EQ(State(id), "CONNECTED");
  return id;
}

base::Result<json> ClustersTest::Update(const std::string& id,
                                        std::string_view member,
                                        std::string_view value) {
  return Ask("UpdateCustomKeyStore",
             {{"CustomKeyStoreId", id}, {std::string(member), value}});
}

void ClustersTest::ChangeRow(
    const std::string& id, const std::function<void(CustomKeyStore&)>& change) {
  testlib::Take(
      store().WriteNow([&](store::Transaction& transaction) -> base::Status {
        auto& rows = transaction.custom_key_stores();
        CustomKeyStore row = testlib::Take(rows.GetCustomKeyStore(id));
        change(row);
        return rows.UpdateCustomKeyStore(row);
      }));
}

base::Result<json> ClustersTest::CreateKeyIn(const std::string& store) {
  return Ask("CreateKey",
             {{"Origin", "AWS_CLOUDHSM"}, {"CustomKeyStoreId", store}});
}

std::string ClustersTest::NewKeyIn(const std::string& store) {
  return testlib::Take(CreateKeyIn(store)).at("KeyMetadata").at("KeyId");
}

hsm::Locator ClustersTest::LocatorOf(const std::string& key) {
  return testlib::Take(store().FindKey(key))->CurrentMaterial().ref.locator;
}

bool ClustersTest::InCluster(const hsm::Locator& locator) {
  const auto listed =
      testlib::Take(Run(cluster().hsm.Call(hsm::ListKeysRequest{})));
  return std::ranges::any_of(listed.keys, [&](const hsm::ListedKey& key) {
    return std::ranges::equal(key.id, locator.bytes);
  });
}

std::size_t ClustersTest::CountInCluster() {
  return testlib::Take(Run(cluster().hsm.Call(hsm::ListKeysRequest{})))
      .keys.size();
}

}  // namespace kms::operations
