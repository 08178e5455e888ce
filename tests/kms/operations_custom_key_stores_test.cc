// SPDX-License-Identifier: Apache-2.0
// Custom key stores: what may be made of them, and in which state.
#include <array>
#include <functional>
#include <utility>

#include "tests/kms/operations_custom_key_stores_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;
using testlib::StatusIs;
using testlib::Take;

constexpr const char* kNoStore = "cks-1234567890abcdef0";

TEST_F(CustomKeyStoresTest, AreToldAsTheyWereMade) {
  const std::string id = NewStore("my store", "/tenant-1/kms/xks/v1");
  EXPECT_THAT(id, MatchesRegex("cks-[0-9a-f]{17}"));
  const json entry = Entry(id);
  const json expected = {{"CustomKeyStoreId", id},
                         {"CustomKeyStoreName", "my store"},
                         {"ConnectionState", "DISCONNECTED"},
                         {"CreationDate", entry.at("CreationDate")},
                         {"CustomKeyStoreType", "EXTERNAL_KEY_STORE"},
                         {"XksProxyConfiguration",
                          {{"Connectivity", "PUBLIC_ENDPOINT"},
                           {"AccessKeyId", kXksAccessKeyId},
                           {"UriEndpoint", "https://xks.example.com"},
                           {"UriPath", "/tenant-1/kms/xks/v1"}}}};
  EXPECT_EQ(entry, expected);
  EXPECT_EQ(entry.at("CreationDate"), 1795342500.0);
}

TEST_F(CustomKeyStoresTest, TheirProxyIsAskedBeforeTheyAreMade) {
  NewStore("store", "/tenant-1/kms/xks/v1");
  ASSERT_EQ(xks_.seen.size(), 1U);
  const SeenXksRequest& seen = xks_.seen[0];
  EXPECT_EQ(seen.operation, hsm::XksOperation::kHealth);
  EXPECT_EQ(seen.kms_operation, "CreateCustomKeyStore");
  EXPECT_EQ(seen.endpoint, "https://xks.example.com");
  EXPECT_EQ(seen.path, "/tenant-1/kms/xks/v1");
  EXPECT_EQ(seen.region, kRegion);
  EXPECT_EQ(seen.access_key_id, kXksAccessKeyId);
  EXPECT_EQ(seen.secret, kXksSecret);
  EXPECT_FALSE(seen.kms_request_id.empty());
}

TEST_F(CustomKeyStoresTest, EachTypeHasItsMembers) {
  const auto create = [this](const std::function<void(json&)>& change) {
    json input = StoreInput();
    change(input);
    return Ask("CreateCustomKeyStore", input);
  };
  for (const char* member :
       {"XksProxyConnectivity", "XksProxyUriEndpoint", "XksProxyUriPath",
        "XksProxyAuthenticationCredential"}) {
    EXPECT_THAT(create([&](json& input) { input.erase(member); }),
                StatusIs(ErrorCode::kValidation, HasSubstr(member)));
  }
  for (const auto& [member, value] :
       {std::pair{"CloudHsmClusterId", "cluster-abcdefghijk"},
        std::pair{"TrustAnchorCertificate", "-----"},
        std::pair{"KeyStorePassword", "kmsPswd1"},
        std::pair{"XksProxyVpcEndpointServiceOwner", "111122223333"}}) {
    // clang 14 captures no structured bindings.
    EXPECT_THAT(create([name = member, text = value](json& input) {
                  input[name] = text;
                }),
                StatusIs(ErrorCode::kValidation, HasSubstr(member)));
  }
  for (const char* half : {"AccessKeyId", "RawSecretAccessKey"}) {
    EXPECT_THAT(create([&](json& input) {
                  input["XksProxyAuthenticationCredential"].erase(half);
                }),
                StatusIs(ErrorCode::kValidation));
  }
  EXPECT_THAT(xks_.seen, IsEmpty());
}

TEST_F(CustomKeyStoresTest, ThereIsNoCluster) {
  const json input = {{"CustomKeyStoreName", "store"},
                      {"CloudHsmClusterId", "cluster-abcdefghijk"},
                      {"TrustAnchorCertificate", "-----"},
                      {"KeyStorePassword", "kmsPswd1"}};
  EXPECT_THAT(Ask("CreateCustomKeyStore", input),
              StatusIs(ErrorCode::kCloudHsmClusterNotFound,
                       HasSubstr("cluster-abcdefghijk")));
  EXPECT_THAT(LogText(), Not(HasSubstr("kmsPswd1")));
}

constexpr const char* kVpcService =
    "com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0";

json ServiceInput(json input, const char* endpoint, const char* service) {
  input["XksProxyConnectivity"] = "VPC_ENDPOINT_SERVICE";
  input["XksProxyUriEndpoint"] = endpoint;
  input["XksProxyVpcEndpointServiceName"] = service;
  return input;
}

TEST_F(CustomKeyStoresTest, AnEndpointServiceIsOneOfTheServers) {
  json input = StoreInput();
  input["XksProxyConnectivity"] = "VPC_ENDPOINT_SERVICE";
  EXPECT_THAT(Ask("CreateCustomKeyStore", input),
              StatusIs(ErrorCode::kValidation));
  input["XksProxyVpcEndpointServiceName"] = kVpcService;
  EXPECT_THAT(Ask("CreateCustomKeyStore", input),
              StatusIs(ErrorCode::kXksProxyVpcServiceNotFound));
  EXPECT_THAT(xks_.seen, IsEmpty());
}

TEST_F(CustomKeyStoresTest, AnEndpointServiceIsOfOneStore) {
  const std::string other = std::string(kVpcService) + "1";
  environment().custom_key_stores.OfferVpcServices({kVpcService, other});
  NewStore("one", "/one/kms/xks/v1");
  const json two = StoreInput("two", "/two/kms/xks/v1");
  EXPECT_THAT(Ask("CreateCustomKeyStore",
                  ServiceInput(two, "https://XKS.example.com", kVpcService)),
              StatusIs(ErrorCode::kXksProxyUriEndpointInUse));
  const json made = testlib::Take(
      Ask("CreateCustomKeyStore",
          ServiceInput(two, "https://two.example.com", kVpcService)));
  EXPECT_EQ(xks_.seen.size(), 2U);
  const json shown =
      testlib::Take(Ask("DescribeCustomKeyStores",
                        {{"CustomKeyStoreId", made.at("CustomKeyStoreId")}}));
  const json& proxy =
      shown.at("CustomKeyStores")[0].at("XksProxyConfiguration");
  EXPECT_EQ(proxy.at("Connectivity"), "VPC_ENDPOINT_SERVICE");
  EXPECT_EQ(proxy.at("VpcEndpointServiceName"), kVpcService);
  const json three = StoreInput("three", "/three/kms/xks/v1");
  EXPECT_THAT(
      Ask("CreateCustomKeyStore",
          ServiceInput(three, "https://three.example.com", kVpcService)),
      StatusIs(ErrorCode::kXksProxyVpcServiceInUse));
  EXPECT_OK(
      Ask("CreateCustomKeyStore",
          ServiceInput(three, "https://three.example.com", other.c_str())));
}

TEST_F(CustomKeyStoresTest, TheEndpointServiceOfAStoreCanBeChangedAlone) {
  const std::string other = std::string(kVpcService) + "1";
  environment().custom_key_stores.OfferVpcServices({kVpcService, other});
  const auto update = [&](const std::string& store, json members) {
    members["CustomKeyStoreId"] = store;
    return Ask("UpdateCustomKeyStore", members);
  };
  const json name = {{"XksProxyVpcEndpointServiceName", other}};
  const std::string by_service =
      testlib::Take(Ask("CreateCustomKeyStore",
                        ServiceInput(StoreInput("one", "/one/kms/xks/v1"),
                                     "https://one.example.com", kVpcService)))
          .at("CustomKeyStoreId");
  EXPECT_OK(update(by_service, name));
  const json shown =
      testlib::Take(OnStore("DescribeCustomKeyStores", by_service));
  EXPECT_EQ(shown.at("CustomKeyStores")[0]
                .at("XksProxyConfiguration")
                .at("VpcEndpointServiceName"),
            other);
  // To the other connectivity the old name does not go along.
  EXPECT_THAT(
      update(by_service, {{"XksProxyConnectivity", "VPC_ENDPOINT_SERVICE"}}),
      StatusIs(ErrorCode::kValidation, HasSubstr("You must specify")));
  EXPECT_THAT(update(NewStore("two", "/two/kms/xks/v1"), name),
              StatusIs(ErrorCode::kValidation, HasSubstr("only")));
}

TEST_F(CustomKeyStoresTest, NamesAndPlacesAreThereOnce) {
  NewStore("one", "/one/kms/xks/v1");
  EXPECT_THAT(Ask("CreateCustomKeyStore", StoreInput("one", "/two/kms/xks/v1")),
              StatusIs(ErrorCode::kCustomKeyStoreNameInUse));
  EXPECT_THAT(Ask("CreateCustomKeyStore", StoreInput("two", "/one/kms/xks/v1")),
              StatusIs(ErrorCode::kXksProxyUriInUse));
  json shouted = StoreInput("two", "/one/kms/xks/v1");
  shouted["XksProxyUriEndpoint"] = "https://XKS.example.com";
  EXPECT_THAT(Ask("CreateCustomKeyStore", shouted),
              StatusIs(ErrorCode::kXksProxyUriInUse));
  EXPECT_EQ(xks_.seen.size(), 1U);
  // Other Regions and accounts have their own.
  const json same = StoreInput("one", "/one/kms/xks/v1");
  EXPECT_OK(Ask("CreateCustomKeyStore", same, {.region = "eu-west-2"}));
  EXPECT_OK(Ask("CreateCustomKeyStore", same,
                {.caller = identity::Administrator(kOtherAccount)}));
}

TEST_F(CustomKeyStoresTest, OfTwoWithOneNameAtOnceOneIsMade) {
  const auto replies = AskTogether(
      {{"CreateCustomKeyStore", StoreInput("one", "/one/kms/xks/v1")},
       {"CreateCustomKeyStore", StoreInput("one", "/two/kms/xks/v1")}});
  EXPECT_EQ(replies[0].has_value() + replies[1].has_value(), 1);
  const auto& failed = replies[0] ? replies[1] : replies[0];
  EXPECT_THAT(failed, StatusIs(ErrorCode::kCustomKeyStoreNameInUse));
}

TEST_F(CustomKeyStoresTest, AnAccountHasTenInARegion) {
  for (int i = 0; i < 10; ++i) {
    NewStore("store " + std::to_string(i),
             "/p" + std::to_string(i) + "/kms/xks/v1");
  }
  const json eleventh = StoreInput("one more", "/more/kms/xks/v1");
  EXPECT_THAT(Ask("CreateCustomKeyStore", eleventh),
              StatusIs(ErrorCode::kLimitExceeded));
  EXPECT_OK(Ask("CreateCustomKeyStore", eleventh, {.region = "eu-west-2"}));
}

TEST_F(CustomKeyStoresTest, AreListedInPages) {
  for (const char* name : {"a", "b", "c"}) {
    NewStore(name, "/" + std::string(name) + "/kms/xks/v1");
  }
  std::set<std::string> names;
  json input = {{"Limit", 2}};
  for (const std::size_t size : {2U, 1U}) {
    const json page = Take(Ask("DescribeCustomKeyStores", input));
    ASSERT_EQ(page.at("CustomKeyStores").size(), size);
    for (const json& entry : page.at("CustomKeyStores")) {
      names.insert(entry.at("CustomKeyStoreName"));
    }
    EXPECT_EQ(page.at("Truncated"), size == 2);
    input["Marker"] = page.value("NextMarker", "");
  }
  EXPECT_EQ(names, (std::set<std::string>{"a", "b", "c"}));
  EXPECT_THAT(Ask("DescribeCustomKeyStores", {{"Marker", "bm9uZQ=="}}),
              StatusIs(ErrorCode::kInvalidMarker));
  const json b =
      Take(Ask("DescribeCustomKeyStores", {{"CustomKeyStoreName", "b"}}));
  EXPECT_EQ(b.at("CustomKeyStores").size(), 1U);
  EXPECT_THAT(Ask("DescribeCustomKeyStores", {{"CustomKeyStoreName", "d"}}),
              StatusIs(ErrorCode::kCustomKeyStoreNotFound));
  EXPECT_THAT(Ask("DescribeCustomKeyStores", {{"CustomKeyStoreName", "b"},
                                              {"CustomKeyStoreId", kNoStore}}),
              StatusIs(ErrorCode::kValidation));
}

TEST_F(CustomKeyStoresTest, OfOthersAreNotThere) {
  const std::string id = NewStore();
  const From other = {.caller = identity::Administrator(kOtherAccount)};
  for (const char* operation :
       {"ConnectCustomKeyStore", "DisconnectCustomKeyStore",
        "DeleteCustomKeyStore", "DescribeCustomKeyStores"}) {
    const json input = {{"CustomKeyStoreId", id}};
    EXPECT_THAT(Ask(operation, input, other),
                StatusIs(ErrorCode::kCustomKeyStoreNotFound));
    EXPECT_THAT(Ask(operation, input, {.region = "eu-west-2"}),
                StatusIs(ErrorCode::kCustomKeyStoreNotFound));
    EXPECT_THAT(OnStore(operation, kNoStore),
                StatusIs(ErrorCode::kCustomKeyStoreNotFound));
  }
  EXPECT_EQ(Take(Ask("DescribeCustomKeyStores", json::object(), other)),
            (json{{"CustomKeyStores", json::array()}, {"Truncated", false}}));
}

// What each operation does in each state: the state after it, or "no".
TEST_F(CustomKeyStoresTest, StatesAndOperations) {
  struct Row {
    ConnectionState state;
    std::array<const char*, 4> after;  // Connect, Disconnect, Update, Delete.
  };
  const Row rows[] = {
      {ConnectionState::kConnected, {"no", "DISCONNECTED", "CONNECTED", "no"}},
      {ConnectionState::kConnecting, {"no", "DISCONNECTED", "no", "no"}},
      {ConnectionState::kFailed, {"no", "DISCONNECTED", "no", "no"}},
      {ConnectionState::kDisconnected,
       {"CONNECTING", "no", "DISCONNECTED", "gone"}},
      {ConnectionState::kDisconnecting, {"no", "no", "no", "no"}},
  };
  const char* operations[] = {"ConnectCustomKeyStore",
                              "DisconnectCustomKeyStore",
                              "UpdateCustomKeyStore", "DeleteCustomKeyStore"};
  for (const Row& row : rows) {
    for (int i = 0; i < 4; ++i) {
      SCOPED_TRACE(operations[i]);
      SCOPED_TRACE(ConnectionStateName(row.state));
      const std::string id = NewStore();
      Take(store().WriteNow([&](store::Transaction& change) -> base::Status {
        auto& stores = change.custom_key_stores();
        CustomKeyStore store = Take(stores.GetCustomKeyStore(id));
        store.state = row.state;
        if (row.state == ConnectionState::kFailed) {
          store.connection_error_code = "INTERNAL_ERROR";
        }
        return stores.UpdateCustomKeyStore(store);
      }));
      Take(Run(LoadCustomKeyStores(environment())));
      const std::string before = State(id);
      json input = {{"CustomKeyStoreId", id}};
      if (i == 2) {
        input["NewCustomKeyStoreName"] = "another name";
      }
      const auto reply = Ask(operations[i], input);
      const std::string expected = row.after[i];
      if (expected == "no") {
        EXPECT_THAT(reply, StatusIs(ErrorCode::kCustomKeyStoreInvalidState));
        EXPECT_EQ(State(id), before);
      } else if (expected == "gone") {
        EXPECT_EQ(Take(reply), json::object());
        EXPECT_THAT(OnStore("DescribeCustomKeyStores", id),
                    StatusIs(ErrorCode::kCustomKeyStoreNotFound));
        continue;
      } else {
        EXPECT_EQ(Take(reply), json::object());
        EXPECT_EQ(State(id), expected);
      }
      Take(store().WriteNow([&](store::Transaction& change) {
        return change.custom_key_stores().DeleteCustomKeyStore(id);
      }));
      Take(Run(LoadCustomKeyStores(environment())));
    }
  }
}

TEST_F(CustomKeyStoresTest, AreUpdatedWhenTheProxyAnswersToTheNewValues) {
  const std::string id = NewStore();
  const std::string secret(43, 'n');
  const std::string access_key_id(20, 'N');
  const json input = {
      {"CustomKeyStoreId", id},
      {"NewCustomKeyStoreName", "renamed"},
      {"XksProxyUriEndpoint", "https://other.example.com"},
      {"XksProxyUriPath", "/new/kms/xks/v1"},
      {"XksProxyAuthenticationCredential", Credential(access_key_id, secret)}};
  xks_.outcome = hsm::XksOutcome::kAuthenticationFailed;
  EXPECT_THAT(Ask("UpdateCustomKeyStore", input),
              StatusIs(ErrorCode::kXksProxyCredentialRefused));
  EXPECT_EQ(Entry(id).at("CustomKeyStoreName"), "store");
  xks_.outcome = hsm::XksOutcome::kOk;
  EXPECT_EQ(Take(Ask("UpdateCustomKeyStore", input)), json::object());
  const SeenXksRequest& seen = xks_.seen.back();
  EXPECT_EQ(seen.kms_operation, "UpdateCustomKeyStore");
  EXPECT_EQ(seen.endpoint, "https://other.example.com");
  EXPECT_EQ(seen.path, "/new/kms/xks/v1");
  EXPECT_EQ(seen.access_key_id, access_key_id);
  EXPECT_EQ(seen.secret, secret);
  const json entry = Entry(id);
  EXPECT_EQ(entry.at("CustomKeyStoreName"), "renamed");
  EXPECT_EQ(entry.at("XksProxyConfiguration"),
            (json{{"Connectivity", "PUBLIC_ENDPOINT"},
                  {"AccessKeyId", access_key_id},
                  {"UriEndpoint", "https://other.example.com"},
                  {"UriPath", "/new/kms/xks/v1"}}));
  // And from then on.
  RestartAll();
  Take(OnStore("ConnectCustomKeyStore", id));
  ConnectPending();
  EXPECT_EQ(xks_.seen.back().secret, secret);
}

// The proxy has answered to each change, but not to both together.
TEST_F(CustomKeyStoresTest, WhatWasTriedIsWhatIsUpdated) {
  const std::string id = NewStore();
  const std::string secret(43, 'n');
  const json path = {{"CustomKeyStoreId", id},
                     {"XksProxyUriPath", "/new/kms/xks/v1"}};
  const auto meanwhile = [&](json change) {
    xks_.meanwhile = [this, change]() -> boost::asio::awaitable<void> {
      EXPECT_OK(co_await Send("UpdateCustomKeyStore", change));
    };
  };
  meanwhile({{"CustomKeyStoreId", id},
             {"XksProxyAuthenticationCredential",
              Credential(kXksAccessKeyId, secret)}});
  EXPECT_THAT(
      Ask("UpdateCustomKeyStore", path),
      StatusIs(ErrorCode::kCustomKeyStoreInvalidState, HasSubstr("Try again")));
  EXPECT_EQ(Entry(id).at("XksProxyConfiguration").at("UriPath"), "/kms/xks/v1");
  meanwhile({{"CustomKeyStoreId", id}, {"NewCustomKeyStoreName", "renamed"}});
  EXPECT_OK(Ask("UpdateCustomKeyStore", path));
  EXPECT_EQ(xks_.seen.back().secret, secret);
  EXPECT_EQ(Entry(id).at("CustomKeyStoreName"), "renamed");
  EXPECT_EQ(Entry(id).at("XksProxyConfiguration").at("UriPath"),
            "/new/kms/xks/v1");
}

TEST_F(CustomKeyStoresTest, OfAConnectedOneTheProxyStaysWhereItIs) {
  const std::string id = NewConnectedStore();
  EXPECT_THAT(Ask("UpdateCustomKeyStore",
                  {{"CustomKeyStoreId", id},
                   {"XksProxyUriEndpoint", "https://other.example.com"}}),
              StatusIs(ErrorCode::kCustomKeyStoreInvalidState));
  EXPECT_OK(
      Ask("UpdateCustomKeyStore",
          {{"CustomKeyStoreId", id}, {"XksProxyUriPath", "/new/kms/xks/v1"}}));
  EXPECT_EQ(State(id), "CONNECTED");
}

TEST_F(CustomKeyStoresTest, UpdatesMustFitAndSaySomething) {
  const std::string one = NewStore("one", "/one/kms/xks/v1");
  NewStore("two", "/two/kms/xks/v1");
  const auto update = [&](const char* member, const char* value) {
    return Ask("UpdateCustomKeyStore",
               {{"CustomKeyStoreId", one}, {member, value}});
  };
  EXPECT_THAT(update("NewCustomKeyStoreName", "two"),
              StatusIs(ErrorCode::kCustomKeyStoreNameInUse));
  EXPECT_OK(update("NewCustomKeyStoreName", "one"));
  EXPECT_THAT(update("XksProxyUriPath", "/two/kms/xks/v1"),
              StatusIs(ErrorCode::kXksProxyUriInUse));
  EXPECT_THAT(update("KeyStorePassword", "kmsPswd1"),
              StatusIs(ErrorCode::kValidation));
  EXPECT_THAT(OnStore("UpdateCustomKeyStore", one),
              StatusIs(ErrorCode::kValidation));
}

TEST_F(CustomKeyStoresTest, SecretsAreNotInTheLogOrTheStore) {
  const std::string id = NewStore();
  const std::string secret(43, 's');
  Take(Ask("UpdateCustomKeyStore", {{"CustomKeyStoreId", id},
                                    {"XksProxyAuthenticationCredential",
                                     Credential(kXksAccessKeyId, secret)}}));
  EXPECT_THAT(LogText(),
              AllOf(HasSubstr("CreateCustomKeyStore"), HasSubstr(id),
                    Not(HasSubstr(kXksSecret)), Not(HasSubstr(secret))));
  EXPECT_THAT(Entry(id).dump(), Not(HasSubstr(secret)));
  const auto rows = Take(store().ReadCustomKeyStores());
  const base::Bytes& sealed = rows.stores[0].proxy.sealed_secret.ciphertext;
  EXPECT_EQ(sealed.size(), secret.size() + hsm::kTagSize);
  EXPECT_THAT(std::string(base::AsText(sealed)), Not(HasSubstr(secret)));
}

TEST_F(CustomKeyStoresTest, ASecretMovedToAnotherStoreOpensNothing) {
  const std::string one = NewStore("one", "/one/kms/xks/v1");
  const std::string two = NewStore("two", "/two/kms/xks/v1");
  Take(store().WriteNow([&](store::Transaction& change) -> base::Status {
    auto& stores = change.custom_key_stores();
    CustomKeyStore moved = Take(stores.GetCustomKeyStore(two));
    moved.proxy.sealed_secret =
        Take(stores.GetCustomKeyStore(one)).proxy.sealed_secret;
    return stores.UpdateCustomKeyStore(moved);
  }));
  RestartAll();
  const std::size_t seen = xks_.seen.size();
  Take(OnStore("ConnectCustomKeyStore", two));
  ConnectPending();
  EXPECT_EQ(State(two), "FAILED INTERNAL_ERROR");
  EXPECT_EQ(xks_.seen.size(), seen);
}

TEST_F(CustomKeyStoresTest, WhoeverIsNotAllowedLearnsNothing) {
  const std::string id = NewStore();
  const std::size_t seen = xks_.seen.size();
  const From alice = {.caller = identity::User(kAccount, "alice")};
  EXPECT_THAT(Ask("CreateCustomKeyStore", StoreInput("two"), alice),
              StatusIs(ErrorCode::kAccessDenied,
                       HasSubstr("kms:CreateCustomKeyStore")));
  for (const char* store : {id.c_str(), kNoStore}) {
    EXPECT_THAT(
        Ask("DeleteCustomKeyStore", {{"CustomKeyStoreId", store}}, alice),
        StatusIs(ErrorCode::kAccessDenied));
  }
  EXPECT_EQ(xks_.seen.size(), seen);
}

TEST_F(CustomKeyStoresTest, OnAServerThatAsksNoProxiesThereAreNone) {
  environment().xks = nullptr;
  EXPECT_THAT(Ask("CreateCustomKeyStore", StoreInput()),
              StatusIs(ErrorCode::kUnsupportedOperation));
  EXPECT_EQ(Take(Ask("DescribeCustomKeyStores", json::object())),
            (json{{"CustomKeyStores", json::array()}, {"Truncated", false}}));
}

}  // namespace
}  // namespace kms::operations
