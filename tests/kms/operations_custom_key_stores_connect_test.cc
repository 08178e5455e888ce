// SPDX-License-Identifier: Apache-2.0
// Custom key stores: how they are connected, and what their proxies are asked
// while nobody waits for it.
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "kms/operations/outbox.h"
#include "tests/kms/operations_custom_key_stores_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using nlohmann::json;
using testing::HasSubstr;
using testlib::StatusIs;
using testlib::Take;

TEST_F(CustomKeyStoresTest, AreConnectedInTheBackground) {
  const std::string id = NewStore();
  EXPECT_EQ(Take(OnStore("ConnectCustomKeyStore", id)), json::object());
  EXPECT_EQ(State(id), "CONNECTING");
  EXPECT_EQ(xks_.seen.size(), 1U);
  ConnectPending();
  EXPECT_EQ(State(id), "CONNECTED");
  ASSERT_EQ(xks_.seen.size(), 2U);
  EXPECT_EQ(xks_.seen[1].kms_operation, "ConnectCustomKeyStore");
  ConnectPending();
  EXPECT_EQ(xks_.seen.size(), 2U);
}

TEST_F(CustomKeyStoresTest, OneThatWasConnectingIsConnectedAfterARestart) {
  const std::string id = NewStore();
  Take(OnStore("ConnectCustomKeyStore", id));
  RestartAll();
  EXPECT_EQ(State(id), "CONNECTING");
  ConnectPending();
  EXPECT_EQ(State(id), "CONNECTED");
  EXPECT_EQ(xks_.seen.back().secret, kXksSecret);
}

TEST_F(CustomKeyStoresTest, StayConnectedOverARestart) {
  const std::string id = NewConnectedStore();
  RestartAll();
  EXPECT_EQ(State(id), "CONNECTED");
}

TEST_F(CustomKeyStoresTest, WithoutWorkersConnectingFails) {
  const std::string id = NewStore();
  Take(OnStore("ConnectCustomKeyStore", id));
  environment().xks = nullptr;
  ConnectPending();
  EXPECT_EQ(State(id), "FAILED INTERNAL_ERROR");
  environment().xks = &xks_;
  Take(OnStore("DisconnectCustomKeyStore", id));
  EXPECT_EQ(State(id), "DISCONNECTED");
}

// It says nothing of the proxy, and ends by itself.
TEST_F(CustomKeyStoresTest, TroubleOfOurOwnIsTriedAgain) {
  const std::string id = NewStore();
  Take(OnStore("ConnectCustomKeyStore", id));
  for (const ErrorCode code : {ErrorCode::kThrottled, ErrorCode::kTimeout,
                               ErrorCode::kHsmUnavailable}) {
    xks_.error = code;
    ConnectPending();
    EXPECT_EQ(State(id), "CONNECTING");
  }
  xks_.error.reset();
  ConnectPending();
  EXPECT_EQ(State(id), "CONNECTED");
}

// But not for ever: nobody would learn of it.
TEST_F(CustomKeyStoresTest, TroubleOfOurOwnThatStaysFailsTheConnect) {
  const std::map<ErrorCode, std::string_view> expected = {
      {ErrorCode::kHsmUnavailable, "FAILED NETWORK_ERRORS"},
      {ErrorCode::kTimeout, "FAILED NETWORK_ERRORS"},
      {ErrorCode::kIo, "FAILED NETWORK_ERRORS"},
      {ErrorCode::kThrottled, "FAILED INTERNAL_ERROR"},
      {ErrorCode::kStoreUnavailable, "FAILED INTERNAL_ERROR"}};
  const std::string id = NewStore();
  for (const auto& [code, state] : expected) {
    Take(OnStore("ConnectCustomKeyStore", id));
    xks_.error = code;
    for (int second = 0; second < 60; ++second) {
      ConnectPending();
      EXPECT_EQ(State(id), "CONNECTING");
      clock_.Advance(std::chrono::seconds(1));
    }
    ConnectPending();
    EXPECT_EQ(State(id), state);
    Take(OnStore("DisconnectCustomKeyStore", id));
  }
  xks_.error.reset();
  Take(OnStore("ConnectCustomKeyStore", id));
  ConnectPending();
  EXPECT_EQ(State(id), "CONNECTED");
}

// What the last connect has waited for does not count for this one.
TEST_F(CustomKeyStoresTest, EachConnectHasItsOwnTime) {
  const std::string id = NewStore();
  xks_.error = ErrorCode::kIo;
  for (int i = 0; i < 3; ++i) {
    Take(OnStore("ConnectCustomKeyStore", id));
    ConnectPending();
    clock_.Advance(std::chrono::seconds(40));
    ConnectPending();
    EXPECT_EQ(State(id), "CONNECTING");
    Take(OnStore("DisconnectCustomKeyStore", id));
  }
}

// Nor does an attempt that was still out when the last one was given up.
TEST_F(CustomKeyStoresTest, AConnectKnowsNoTroubleOfTheLastOnesAttempt) {
  const std::string id = NewStore();
  Take(OnStore("ConnectCustomKeyStore", id));
  xks_.seen.clear();
  xks_.error = ErrorCode::kIo;
  xks_.meanwhile = [&]() -> boost::asio::awaitable<void> {
    while (environment().custom_key_stores.current()->Find(id)->store.state !=
           ConnectionState::kDisconnected) {
      co_await boost::asio::post(boost::asio::use_awaitable);
    }
  };
  auto disconnect = [&]() -> boost::asio::awaitable<void> {
    while (xks_.seen.empty()) {
      co_await boost::asio::post(boost::asio::use_awaitable);
    }
    json input = {{"CustomKeyStoreId", id}};
    const auto reply =
        co_await Send("DisconnectCustomKeyStore", std::move(input));
    EXPECT_OK(reply);
  };
  RunTogether(ConnectPendingStores(environment()), disconnect());
  clock_.Advance(std::chrono::seconds(61));
  Take(OnStore("ConnectCustomKeyStore", id));
  ConnectPending();
  EXPECT_EQ(State(id), "CONNECTING");
}

// As after a disconnect that could not be seen to its end.
TEST_F(CustomKeyStoresTest, AConnectBeginsItsTimeItself) {
  const std::string id = NewStore();
  environment().custom_key_stores.TroubleSince(id, clock_.Monotonic());
  clock_.Advance(std::chrono::seconds(61));
  xks_.error = ErrorCode::kIo;
  Take(OnStore("ConnectCustomKeyStore", id));
  ConnectPending();
  EXPECT_EQ(State(id), "CONNECTING");
}

// What the shape of an endpoint lets through may still be no name of a host.
TEST_F(CustomKeyStoresTest, AnEndpointThatCannotBeAskedIsAWrongConfiguration) {
  xks_.error = ErrorCode::kInvalidArgument;
  json input = StoreInput();
  input["XksProxyUriEndpoint"] = "https://a..b.example";
  EXPECT_THAT(Ask("CreateCustomKeyStore", input),
              StatusIs(ErrorCode::kXksProxyInvalidConfiguration,
                       HasSubstr("XksProxyUriEndpoint does not name a host")));
  xks_.error.reset();
  const std::string id = NewStore();
  Take(OnStore("ConnectCustomKeyStore", id));
  xks_.error = ErrorCode::kInvalidArgument;
  ConnectPending();
  EXPECT_EQ(State(id), "FAILED XKS_PROXY_INVALID_CONFIGURATION");
}

// What others' requests have let time out says nothing of this one.
TEST_F(CustomKeyStoresTest, AConnectWaitsUntilTheProxyIsAsked) {
  const std::string id = NewStore();
  Take(OnStore("ConnectCustomKeyStore", id));
  xks_.refused = 2;
  for (int second = 0; second < 2; ++second) {
    ConnectPending();
    EXPECT_EQ(State(id), "CONNECTING");
  }
  ConnectPending();
  EXPECT_EQ(State(id), "CONNECTED");
}

TEST_F(CustomKeyStoresTest, AConnectOfAProxyThatIsNeverAskedHasTimedOut) {
  const std::string id = NewStore();
  Take(OnStore("ConnectCustomKeyStore", id));
  xks_.refused = 2;
  ConnectPending();
  clock_.Advance(std::chrono::seconds(60));
  ConnectPending();
  EXPECT_EQ(State(id), "FAILED XKS_PROXY_TIMED_OUT");
}

TEST_F(CustomKeyStoresTest, AStoreIsMadeWhenItsProxyIsAskedAgain) {
  xks_.refused = 1;
  EXPECT_OK(Ask("CreateCustomKeyStore", StoreInput()));
  EXPECT_EQ(xks_.seen.size(), 2U);
  xks_.outcome = hsm::XksOutcome::kTimedOut;
  EXPECT_THAT(Ask("CreateCustomKeyStore", StoreInput("b", "/b/kms/xks/v1")),
              StatusIs(ErrorCode::kXksProxyUnreachable));
  EXPECT_EQ(xks_.seen.size(), 3U);
}

TEST_F(CustomKeyStoresTest, AnEndpointServiceThatIsGoneDoesNotConnect) {
  constexpr const char* kService =
      "com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0";
  environment().custom_key_stores.OfferVpcServices({kService});
  json input = StoreInput();
  input["XksProxyConnectivity"] = "VPC_ENDPOINT_SERVICE";
  input["XksProxyVpcEndpointServiceName"] = kService;
  const std::string id =
      Take(Ask("CreateCustomKeyStore", input)).at("CustomKeyStoreId");
  environment().custom_key_stores.OfferVpcServices({});
  xks_.seen.clear();
  Take(OnStore("ConnectCustomKeyStore", id));
  ConnectPending();
  EXPECT_EQ(State(id), "FAILED XKS_VPC_ENDPOINT_SERVICE_NOT_FOUND");
  EXPECT_TRUE(xks_.seen.empty());
}

// One proxy that is slow leaves room to the others.
TEST_F(CustomKeyStoresTest, AProxyHasSoManyRequestsAtATime) {
  const std::string slow = NewConnectedStore();
  const std::string key = NewExternalKey(slow);
  CustomKeyStoreSource& source = environment().custom_key_stores;
  std::vector<CustomKeyStoreSource::Pass> out;
  for (std::size_t i = 0; i < CustomKeyStoreSource::kMostOut; ++i) {
    std::optional<CustomKeyStoreSource::Pass> pass = source.Admit(slow);
    ASSERT_TRUE(pass.has_value());
    out.push_back(*std::move(pass));
  }
  const json encrypt = {{"KeyId", key}, {"Plaintext", "eA=="}};
  EXPECT_THAT(Ask("Encrypt", encrypt), StatusIs(ErrorCode::kThrottled));
  out.pop_back();
  EXPECT_OK(Ask("Encrypt", encrypt));
}

TEST_F(CustomKeyStoresTest, OneThatIsDisconnectedMeanwhileStaysSo) {
  const std::string id = NewStore();
  Take(OnStore("ConnectCustomKeyStore", id));
  xks_.meanwhile = [&]() -> boost::asio::awaitable<void> {
    // It waits for this very answer, so the row is changed without it.
    Take(store().WriteNow([&](store::Transaction& change) -> base::Status {
      auto& stores = change.custom_key_stores();
      CustomKeyStore row = Take(stores.GetCustomKeyStore(id));
      row.state = ConnectionState::kDisconnected;
      return stores.UpdateCustomKeyStore(row);
    }));
    co_return;
  };
  ConnectPending();
  EXPECT_EQ(State(id), "DISCONNECTED");
  EXPECT_EQ(CountEvents("ChangeConnectionState"), 0);
}

TEST_F(CustomKeyStoresTest, WhatBecomesOfAConnectIsInTheAuditLog) {
  const std::string id = NewConnectedStore();
  const json connected = LastEvent("ChangeConnectionState");
  EXPECT_EQ(connected.at("eventType"), "AwsServiceEvent");
  EXPECT_EQ(connected.at("userIdentity").at("invokedBy"), "kms.amazonaws.com");
  EXPECT_EQ(connected.at("recipientAccountId"), kAccount);
  EXPECT_EQ(connected.at("awsRegion"), kRegion);
  EXPECT_EQ(connected.at("serviceEventDetails"),
            (json{{"customKeyStoreId", id}, {"connectionState", "CONNECTED"}}));

  Take(OnStore("DisconnectCustomKeyStore", id));
  Take(OnStore("ConnectCustomKeyStore", id));
  xks_.outcome = hsm::XksOutcome::kTls;
  ConnectPending();
  EXPECT_EQ(
      LastEvent("ChangeConnectionState").at("serviceEventDetails"),
      (json{{"customKeyStoreId", id},
            {"connectionState", "FAILED"},
            {"connectionErrorCode", "XKS_PROXY_INVALID_TLS_CONFIGURATION"}}));
  EXPECT_EQ(CountEvents("ChangeConnectionState"), 2);
}

TEST_F(CustomKeyStoresTest, WhatBecameOfAConnectIsInForceWithoutTheAuditLog) {
  const std::string id = NewStore();
  Take(OnStore("ConnectCustomKeyStore", id));
  log().refuses = true;
  EXPECT_THAT(Run(ConnectPendingStores(environment())),
              StatusIs(ErrorCode::kAuditUnavailable));
  const auto list = environment().custom_key_stores.current();
  EXPECT_EQ(list->Find(id)->store.state, ConnectionState::kConnected);
  log().refuses = false;
  RunVoid(RetryUnlogged(environment()));
  EXPECT_EQ(CountEvents("ChangeConnectionState"), 1);
}

TEST_F(CustomKeyStoresTest, OneSlowProxyDelaysNoOther) {
  constexpr int kAtOnce = int{kMostProxiesAtOnce};
  std::vector<std::string> ids;
  for (int i = 0; i < kAtOnce + 2; ++i) {
    const std::string number = std::to_string(i);
    ids.push_back(NewStore("store " + number, "/t" + number + "/kms/xks/v1"));
    Take(OnStore("ConnectCustomKeyStore", ids.back()));
  }
  xks_.turns = 20;
  xks_.most_out = 0;
  ConnectPending();
  for (const std::string& id : ids) {
    EXPECT_EQ(State(id), "CONNECTED");
  }
  EXPECT_EQ(xks_.most_out, kAtOnce);
  xks_.most_out = 0;
  xks_.seen.clear();
  HealthWatch watch(environment());
  RunVoid(watch.AskAll());
  EXPECT_EQ(xks_.seen.size(), ids.size());
  EXPECT_EQ(xks_.most_out, kAtOnce);
}

TEST_F(CustomKeyStoresTest, HealthIsAskedAndChangesNoState) {
  const std::string id = NewConnectedStore();
  NewStore("other", "/other/kms/xks/v1");
  xks_.seen.clear();
  HealthWatch watch(environment());
  xks_.outcome = hsm::XksOutcome::kNotReachable;
  RunVoid(watch.AskAll());
  EXPECT_EQ(State(id), "CONNECTED");
  xks_.outcome = hsm::XksOutcome::kOk;
  RunVoid(watch.AskAll());
  ASSERT_EQ(xks_.seen.size(), 2U);  // Of the connected one.
  EXPECT_EQ(xks_.seen[0].kms_operation, "KmsHealthCheck");
  EXPECT_EQ(xks_.seen[0].path, "/kms/xks/v1");
}

TEST_F(CustomKeyStoresTest, WhatProxiesAnswerIsCounted) {
  const std::string id = NewConnectedStore();
  const XksStats& stats = environment().custom_key_stores.stats();
  using hsm::XksOperation;
  using hsm::XksOutcome;
  const auto counts = [&stats](std::string store, std::string operation,
                               XksOperation asked) {
    return stats.Counts()[{std::move(store), std::move(operation), asked}];
  };
  EXPECT_EQ(counts("", "CreateCustomKeyStore", XksOperation::kHealth)
                .Answers(XksOutcome::kOk),
            1U);
  EXPECT_EQ(counts(id, "ConnectCustomKeyStore", XksOperation::kHealth)
                .Answers(XksOutcome::kOk),
            1U);
  xks_.lie = [](hsm::XksReply& reply) {
    reply.microseconds = 1500;
    reply.certificate_not_after = 1795342500;
    reply.managers = {{"a", "m", "ACTIVE"},
                      {"b", "m", "UNAVAILABLE"},
                      {"c", "m", "ACTIVE"},
                      {"d", "m", "\n"}};
  };
  HealthWatch watch(environment());
  RunVoid(watch.AskAll());
  EXPECT_EQ(counts(id, "KmsHealthCheck", XksOperation::kHealth).microseconds,
            1500U);
  EXPECT_EQ(stats.HealthOf(id).certificate_not_after, 1795342500U);
  EXPECT_EQ(stats.HealthOf(id).managers,
            (std::map<std::string, int, std::less<>>{
                {"ACTIVE", 2}, {"UNAVAILABLE", 1}, {"UNKNOWN", 1}}));
  xks_.lie = nullptr;
  xks_.outcome = XksOutcome::kTls;
  EXPECT_FALSE(CreateExternalKey(id, "key-1"));
  EXPECT_EQ(counts(id, "CreateKey", XksOperation::kMetadata)
                .Answers(XksOutcome::kTls),
            1U);
  for (const ErrorCode error :
       {ErrorCode::kThrottled, ErrorCode::kHsmUnavailable}) {
    xks_.error = error;
    EXPECT_FALSE(CreateExternalKey(id, "key-1"));
  }
  EXPECT_EQ(counts(id, "CreateKey", XksOperation::kMetadata).throttled, 1U);
  EXPECT_EQ(counts(id, "CreateKey", XksOperation::kMetadata).failed, 1U);
  // What is gone is forgotten.
  xks_.error.reset();
  Take(OnStore("DisconnectCustomKeyStore", id));
  Take(OnStore("DeleteCustomKeyStore", id));
  RunVoid(watch.AskAll());
  EXPECT_TRUE(stats.HealthOf(id).managers.empty());
}

}  // namespace
}  // namespace kms::operations
