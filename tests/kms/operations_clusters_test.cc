// SPDX-License-Identifier: Apache-2.0
// Custom key stores of the type AWS_CLOUDHSM: what may be made, and how they
// are connected.
#include <functional>
#include <utility>
#include <vector>

#include "kms/operations/custom_key_stores/clusters.h"
#include "tests/kms/operations_clusters_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testlib::StatusIs;
using testlib::Take;

constexpr std::string_view kWrong = "kmsPswd1-of-another";

TEST_F(ClustersTest, AreToldAsTheyWereMade) {
  const std::string id = NewCluster();
  const json entry = Entry(id);
  const json expected = {{"CustomKeyStoreId", id},
                         {"CustomKeyStoreName", "cluster"},
                         {"CloudHsmClusterId", kCluster},
                         {"TrustAnchorCertificate", trust_anchor},
                         {"ConnectionState", "DISCONNECTED"},
                         {"CreationDate", entry.at("CreationDate")},
                         {"CustomKeyStoreType", "AWS_CLOUDHSM"}};
  EXPECT_EQ(entry, expected);
}

TEST_F(ClustersTest, NeedTheirMembersAndNoOthers) {
  const auto create = [this](const std::function<void(json&)>& change) {
    json input = ClusterInput();
    change(input);
    return Ask("CreateCustomKeyStore", input);
  };
  for (const char* member :
       {"CloudHsmClusterId", "TrustAnchorCertificate", "KeyStorePassword"}) {
    EXPECT_THAT(create([&](json& input) { input.erase(member); }),
                StatusIs(ErrorCode::kValidation, HasSubstr(member)));
  }
  const json external = StoreInput();
  for (const char* member :
       {"XksProxyConnectivity", "XksProxyUriEndpoint", "XksProxyUriPath",
        "XksProxyAuthenticationCredential"}) {
    EXPECT_THAT(
        create([&](json& input) { input[member] = external.at(member); }),
        StatusIs(ErrorCode::kValidation, HasSubstr(member)));
  }
  for (const std::size_t length : {6U, 33U}) {
    EXPECT_THAT(create([&](json& input) {
                  input["KeyStorePassword"] = std::string(length, 'p');
                }),
                StatusIs(ErrorCode::kValidation));
  }
  EXPECT_OK(create(
      [](json& input) { input["CustomKeyStoreType"] = "AWS_CLOUDHSM"; }));
}

TEST_F(ClustersTest, AreKeyStoresOfTheConfiguration) {
  EXPECT_THAT(
      Ask("CreateCustomKeyStore", ClusterInput("one", kOtherCluster)),
      StatusIs(ErrorCode::kCloudHsmClusterNotFound, HasSubstr(kOtherCluster)));
  AddCluster(kOtherCluster);
  EXPECT_OK(Ask("CreateCustomKeyStore", ClusterInput("one", kOtherCluster)));
  EXPECT_OK(Ask("CreateCustomKeyStore", ClusterInput("two")));
}

TEST_F(ClustersTest, AreOneStoreInTheWholeServer) {
  const std::string id = NewCluster();
  const json another = ClusterInput("another");
  const From others[] = {
      {},
      {.region = "eu-west-2"},
      {.caller = identity::Administrator(kOtherAccount)},
  };
  for (const From& from : others) {
    EXPECT_THAT(Ask("CreateCustomKeyStore", another, from),
                StatusIs(ErrorCode::kCloudHsmClusterInUse,
                         AllOf(HasSubstr(kCluster), Not(HasSubstr(id)))));
  }
  Take(OnStore("DeleteCustomKeyStore", id));
  EXPECT_OK(Ask("CreateCustomKeyStore", another, others[2]));
}

TEST_F(ClustersTest, OfTwoAtOnceOneIsMade) {
  const auto replies =
      AskTogether({{"CreateCustomKeyStore", ClusterInput("one")},
                   {"CreateCustomKeyStore", ClusterInput("two")}});
  EXPECT_NE(replies[0].has_value(), replies[1].has_value());
}

TEST_F(ClustersTest, TheTrustAnchorIsOneCertificate) {
  const std::string half = trust_anchor.substr(0, trust_anchor.size() / 2);
  const std::string key =
      "-----BEGIN PRIVATE KEY-----\nbm90IG9uZQ==\n-----END PRIVATE KEY-----\n";
  for (const std::string& bad :
       {std::string("-----"), std::string(" \n"), half, half + half, key,
        trust_anchor + trust_anchor, trust_anchor + key, key + trust_anchor,
        trust_anchor + "more", "more" + trust_anchor}) {
    json input = ClusterInput();
    input["TrustAnchorCertificate"] = bad;
    EXPECT_THAT(Ask("CreateCustomKeyStore", input),
                StatusIs(ErrorCode::kIncorrectTrustAnchor))
        << bad;
  }
  json input = ClusterInput();
  input["TrustAnchorCertificate"] = "\n" + trust_anchor + " \n";
  EXPECT_OK(Ask("CreateCustomKeyStore", input));
  EXPECT_THAT(LogText(), Not(HasSubstr("bm90IG9uZQ==")));
}

TEST_F(ClustersTest, AreConnectedWithThePinOfTheToken) {
  const std::string id = NewCluster();
  EXPECT_EQ(Take(OnStore("ConnectCustomKeyStore", id)), json::object());
  EXPECT_EQ(State(id), "CONNECTING");
  ConnectPending();
  EXPECT_EQ(State(id), "CONNECTED");
  RestartWith();
  EXPECT_EQ(State(id), "CONNECTED");
}

TEST_F(ClustersTest, AreConnectedAfterARestart) {
  const std::string id = NewCluster();
  Take(OnStore("ConnectCustomKeyStore", id));
  RestartWith();
  EXPECT_EQ(State(id), "CONNECTING");
  ConnectPending();
  EXPECT_EQ(State(id), "CONNECTED");
}

TEST_F(ClustersTest, NeedNoServerThatAsksProxies) {
  environment().xks = nullptr;
  NewConnectedCluster();
  EXPECT_THAT(xks_.seen, IsEmpty());
}

TEST_F(ClustersTest, WithAnotherPasswordConnectingFails) {
  const std::string id = NewCluster(kWrong);
  Connect(id);
  EXPECT_EQ(State(id), "FAILED INVALID_CREDENTIALS");
  EXPECT_THAT(OnStore("ConnectCustomKeyStore", id),
              StatusIs(ErrorCode::kCustomKeyStoreInvalidState));
  EXPECT_THAT(Update(id, "KeyStorePassword", kPassword),
              StatusIs(ErrorCode::kCustomKeyStoreInvalidState));
  Disconnect(id);
  EXPECT_OK(Update(id, "KeyStorePassword", kPassword));
  Connect(id);
  EXPECT_EQ(State(id), "CONNECTED");
}

TEST_F(ClustersTest, WhoGuessesTooOftenIsLockedOut) {
  UseOtherWorkers();
  const std::string id = NewCluster(kWrong);
  std::string state;
  int guesses = 0;
  for (; state != "FAILED USER_LOCKED_OUT" && guesses < 20; ++guesses) {
    Connect(id);
    state = State(id);
    Disconnect(id);
  }
  EXPECT_EQ(state, "FAILED USER_LOCKED_OUT");
  EXPECT_EQ(guesses, 11);
  // Who knows it now is locked out, too.
  Take(Update(id, "KeyStorePassword", kPassword));
  Connect(id);
  EXPECT_EQ(State(id), "FAILED USER_LOCKED_OUT");
}

// Ten in all, though no worker has heard as many.
TEST_F(ClustersTest, GuessesAreCountedWhicheverWorkerHearsThem) {
  UseOtherWorkers();
  const std::string id = NewCluster(kWrong);
  const auto guess = [&] {
    Connect(id);
    std::string state = State(id);
    Disconnect(id);
    return state;
  };
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(guess(), "FAILED INVALID_CREDENTIALS");
  }
  ReplaceOtherWorkers();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(guess(), "FAILED INVALID_CREDENTIALS");
  }
  EXPECT_EQ(guess(), "FAILED USER_LOCKED_OUT");
  // Nor does it help to begin with another store.
  Take(OnStore("DeleteCustomKeyStore", id));
  const std::string another = NewCluster();
  Connect(another);
  EXPECT_EQ(State(another), "FAILED USER_LOCKED_OUT");
}

TEST_F(ClustersTest, ARestartForgetsNoGuess) {
  UseOtherWorkers();
  const std::string id = NewCluster(kWrong);
  for (int i = 0; i < 10; ++i) {
    Connect(id);
    EXPECT_EQ(State(id), "FAILED INVALID_CREDENTIALS");
    Disconnect(id);
    ReplaceOtherWorkers();
    RestartWith();
  }
  Take(Update(id, "KeyStorePassword", kPassword));
  Connect(id);
  EXPECT_EQ(State(id), "FAILED USER_LOCKED_OUT");
}

TEST_F(ClustersTest, TheOperatorLetsPasswordsBeComparedAgain) {
  const auto forget = [this] { return Take(ForgetWrongPasswords(store())); };
  EXPECT_FALSE(forget());
  const std::string id = NewCluster(kWrong);
  Take(store().WriteNow([](store::Transaction& transaction) {
    return transaction.custom_key_stores().SetWrongPasswords(kCluster, 10);
  }));
  Connect(id);
  EXPECT_EQ(State(id), "FAILED USER_LOCKED_OUT");
  Disconnect(id);
  EXPECT_TRUE(forget());
  Take(Update(id, "KeyStorePassword", kPassword));
  Connect(id);
  EXPECT_EQ(State(id), "CONNECTED");
}

// A reload is for certificates, too.
TEST_F(ClustersTest, ForgettingWrongPasswordsTakesNoKeyOutOfUse) {
  const std::string keys[] = {NewKeyIn(NewConnectedCluster()),
                              NewExternalKey(NewConnectedStore())};
  Take(store().WriteNow([](store::Transaction& transaction) {
    return transaction.custom_key_stores().SetWrongPasswords(kOtherCluster, 1);
  }));
  EXPECT_TRUE(Take(ForgetWrongPasswords(store())));
  for (const std::string& key : keys) {
    EXPECT_OK(Ask("Encrypt", {{"KeyId", key}, {"Plaintext", "eA=="}}));
  }
}

// Only the comparison of a password says whether one was right.
TEST_F(ClustersTest, WhatCannotBeComparedIsNotCounted) {
  const std::string id = NewCluster(kWrong);
  Connect(id);
  Disconnect(id);
  const auto counts = [this] {
    return Take(store().ReadCustomKeyStores()).wrong_passwords;
  };
  const store::WrongPasswords once = {{std::string(kCluster), 1}};
  EXPECT_EQ(counts(), once);
  cluster().hsm.Stop();
  Connect(id);
  EXPECT_EQ(State(id), "FAILED INSUFFICIENT_CLOUDHSM_HSMS");
  EXPECT_EQ(counts(), once);
}

TEST_F(ClustersTest, ARightPasswordEndsTheRow) {
  const std::string id = NewCluster(kWrong);
  for (int i = 0; i < 3; ++i) {
    for (int wrong = 0; wrong < 4; ++wrong) {
      Connect(id);
      EXPECT_EQ(State(id), "FAILED INVALID_CREDENTIALS");
      Disconnect(id);
    }
    Take(Update(id, "KeyStorePassword", kPassword));
    Connect(id);
    EXPECT_EQ(State(id), "CONNECTED");
    Disconnect(id);
    Take(Update(id, "KeyStorePassword", kWrong));
  }
}

TEST_F(ClustersTest, WithoutWorkersConnectingFails) {
  const std::string id = NewCluster();
  cluster().hsm.Stop();
  Connect(id);
  EXPECT_EQ(State(id), "FAILED INSUFFICIENT_CLOUDHSM_HSMS");
}

TEST_F(ClustersTest, WithoutTheirKeyStoreConnectingFails) {
  const std::string id = NewCluster();
  RestartWithout();
  Connect(id);
  EXPECT_EQ(State(id), "FAILED CLUSTER_NOT_FOUND");
}

TEST_F(ClustersTest, APasswordMovedToAnotherStoreOpensNothing) {
  AddCluster(kOtherCluster);
  const std::string id = NewCluster();
  const std::string other =
      Take(Ask("CreateCustomKeyStore", ClusterInput("other", kOtherCluster)))
          .at("CustomKeyStoreId");
  hsm::Sealed sealed;
  ChangeRow(id, [&](CustomKeyStore& row) { sealed = row.proxy.sealed_secret; });
  ChangeRow(other,
            [&](CustomKeyStore& row) { row.proxy.sealed_secret = sealed; });
  Take(Run(LoadCustomKeyStores(environment())));
  Connect(other);
  EXPECT_EQ(State(other), "FAILED INTERNAL_ERROR");
}

TEST_F(ClustersTest, PasswordsAreNotInTheLogOrTheStore) {
  const std::string id = NewConnectedCluster();
  Disconnect(id);
  Take(Update(id, "KeyStorePassword", kWrong));
  Connect(id);
  EXPECT_THAT(LogText(),
              AllOf(HasSubstr("CreateCustomKeyStore"), HasSubstr(id),
                    Not(HasSubstr(kPassword)), Not(HasSubstr(kWrong))));
  EXPECT_THAT(Entry(id).dump(), Not(HasSubstr("Pswd")));
  const auto rows = Take(store().ReadCustomKeyStores());
  const base::Bytes& sealed = rows.stores[0].proxy.sealed_secret.ciphertext;
  EXPECT_EQ(sealed.size(), kWrong.size() + hsm::kTagSize);
  EXPECT_THAT(std::string(base::AsText(sealed)), Not(HasSubstr(kWrong)));
}

TEST_F(ClustersTest, OneThatChangesWhileItIsConnectedStaysDisconnected) {
  const std::string id = NewCluster();
  Take(OnStore("ConnectCustomKeyStore", id));
  ChangeRow(id, [](CustomKeyStore& row) {
    row.cloud_hsm_cluster_id = kOtherCluster;
  });
  ConnectPending();  // Has asked the cluster of before.
  EXPECT_EQ(State(id), "CONNECTING");
}

TEST_F(ClustersTest, MayBeRenamedWhileConnected) {
  const std::string id = NewConnectedCluster();
  EXPECT_OK(Update(id, "NewCustomKeyStoreName", "another name"));
  EXPECT_EQ(Entry(id).at("CustomKeyStoreName"), "another name");
  EXPECT_EQ(State(id), "CONNECTED");
  for (const auto& [member, value] :
       {std::pair{"KeyStorePassword", kPassword},
        std::pair{"CloudHsmClusterId", kCluster}}) {
    EXPECT_THAT(Update(id, member, value),
                StatusIs(ErrorCode::kCustomKeyStoreInvalidState));
  }
}

TEST_F(ClustersTest, AreUpdatedByTheirOwnMembers) {
  const std::string id = NewCluster();
  const std::string external = NewStore();
  xks_.seen.clear();
  EXPECT_THAT(Update(id, "XksProxyUriPath", "/one/kms/xks/v1"),
              StatusIs(ErrorCode::kValidation, HasSubstr("XksProxyUriPath")));
  EXPECT_THAT(Update(external, "KeyStorePassword", kPassword),
              StatusIs(ErrorCode::kValidation, HasSubstr("KeyStorePassword")));
  EXPECT_THAT(Update(external, "CloudHsmClusterId", kCluster),
              StatusIs(ErrorCode::kValidation));
  EXPECT_THAT(OnStore("UpdateCustomKeyStore", id),
              StatusIs(ErrorCode::kValidation));
  EXPECT_THAT(xks_.seen, IsEmpty());
}

TEST_F(ClustersTest, GoToAnotherClusterWithoutKeysOnly) {
  const std::string id = NewConnectedCluster();
  Disconnect(id);
  EXPECT_THAT(Update(id, "CloudHsmClusterId", kOtherCluster),
              StatusIs(ErrorCode::kCloudHsmClusterNotFound));
  AddCluster(kOtherCluster);
  EXPECT_OK(Update(id, "CloudHsmClusterId", kOtherCluster));
  EXPECT_EQ(Entry(id).at("CloudHsmClusterId"), kOtherCluster);
  Connect(id);
  EXPECT_EQ(State(id), "CONNECTED");
  NewKeyIn(id);
  Disconnect(id);
  EXPECT_THAT(
      Update(id, "CloudHsmClusterId", kCluster),
      StatusIs(ErrorCode::kCloudHsmClusterNotRelated, HasSubstr("1 KMS key")));
  EXPECT_OK(Update(id, "CloudHsmClusterId", kOtherCluster));
}

TEST_F(ClustersTest, GoToNoClusterOfAnotherStore) {
  AddCluster(kOtherCluster);
  const std::string id = NewCluster();
  Take(Ask("CreateCustomKeyStore", ClusterInput("other", kOtherCluster)));
  EXPECT_THAT(Update(id, "CloudHsmClusterId", kOtherCluster),
              StatusIs(ErrorCode::kCloudHsmClusterNotRelated));
}

TEST_F(ClustersTest, AreNoProxiesWhoseHealthIsAsked) {
  NewConnectedCluster();
  HealthWatch watch(environment());
  RunVoid(watch.AskAll());
  EXPECT_THAT(xks_.seen, IsEmpty());
}

}  // namespace
}  // namespace kms::operations
