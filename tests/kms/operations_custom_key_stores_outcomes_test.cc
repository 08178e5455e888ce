// SPDX-License-Identifier: Apache-2.0
// What becomes of a proxy's answers, cell by cell: the table was written from
// the XKS proxy API specification and not from ours.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>

#include "kms/http/errors.h"
#include "kms/operations/custom_key_stores/outcomes.h"
#include "tests/kms/operations_custom_key_stores_testing.h"

namespace kms::operations {
namespace {

using base::ErrorCode;
using hsm::XksOutcome;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testlib::StatusIs;
using testlib::Take;

struct Row {
  XksOutcome outcome;
  const char* of_store;
  const char* of_key;
  const char* connection_error_code;
};
constexpr const char* kInvalidResponse = "XksProxyInvalidResponseException";
constexpr const char* kInvalidConfiguration =
    "XksProxyInvalidConfigurationException";
constexpr const char* kUnreachable = "XksProxyUriUnreachableException";
constexpr const char* kStoreState = "CustomKeyStoreInvalidStateException";
constexpr const char* kKeyConfiguration = "XksKeyInvalidConfigurationException";

constexpr Row kRows[] = {
    {XksOutcome::kValidation, kInvalidResponse, kStoreState,
     "XKS_PROXY_INVALID_RESPONSE"},
    {XksOutcome::kInvalidState, kInvalidConfiguration, kKeyConfiguration,
     "XKS_PROXY_INVALID_CONFIGURATION"},
    {XksOutcome::kInvalidCiphertext, kInvalidResponse, kStoreState,
     "XKS_PROXY_INVALID_RESPONSE"},
    {XksOutcome::kInvalidKeyUsage, kInvalidResponse, kKeyConfiguration,
     "XKS_PROXY_INVALID_RESPONSE"},
    {XksOutcome::kAuthenticationFailed,
     "XksProxyIncorrectAuthenticationCredentialException", kStoreState,
     "INVALID_CREDENTIALS"},
    {XksOutcome::kAccessDenied, kInvalidConfiguration, kStoreState,
     "XKS_PROXY_ACCESS_DENIED"},
    {XksOutcome::kKeyNotFound, kInvalidResponse, "XksKeyNotFoundException",
     "XKS_PROXY_INVALID_RESPONSE"},
    {XksOutcome::kInvalidUriPath, kInvalidConfiguration, kStoreState,
     "XKS_PROXY_INVALID_CONFIGURATION"},
    {XksOutcome::kThrottling, kUnreachable, kStoreState,
     "XKS_PROXY_NOT_REACHABLE"},
    {XksOutcome::kUnsupportedOperation, kInvalidResponse,
     "UnsupportedOperationException", "XKS_PROXY_INVALID_RESPONSE"},
    {XksOutcome::kDependencyTimeout, kUnreachable, kStoreState,
     "XKS_PROXY_TIMED_OUT"},
    {XksOutcome::kInternal, kInvalidResponse, kStoreState,
     "XKS_PROXY_INVALID_RESPONSE"},
    {XksOutcome::kMalformed, kInvalidResponse, kStoreState,
     "XKS_PROXY_INVALID_RESPONSE"},
    {XksOutcome::kNotReachable, kUnreachable, kStoreState,
     "XKS_PROXY_NOT_REACHABLE"},
    {XksOutcome::kTls, kUnreachable, kStoreState,
     "XKS_PROXY_INVALID_TLS_CONFIGURATION"},
    {XksOutcome::kTimedOut, kUnreachable, kStoreState, "XKS_PROXY_TIMED_OUT"},
    {XksOutcome::kForbidden, kInvalidConfiguration, kStoreState,
     "XKS_PROXY_INVALID_CONFIGURATION"},
};
static_assert(std::size(kRows) == 17, "every outcome but kOk");

template <typename T>
std::string NameOfError(const base::Result<T>& result) {
  return result ? "none"
                : std::string(http::AwsErrorOf(result.error().code).json.name);
}

class OutcomesTest : public CustomKeyStoresTest {
 protected:
  OutcomesTest() : store_(NewConnectedStore()), key_(NewExternalKey(store_)) {}

  std::string store_;
  std::string key_;
};

TEST_F(OutcomesTest, EachHasItsErrors) {
  const std::string blob = Encrypted(key_, "message");
  const std::string idle = NewStore("idle", "/idle/kms/xks/v1");
  for (const Row& row : kRows) {
    SCOPED_TRACE(static_cast<int>(row.outcome));
    xks_.outcome = row.outcome;
    const std::string text(RowOf(row.outcome).text);
    const auto created =
        Ask("CreateCustomKeyStore", StoreInput("new", "/new/kms/xks/v1"));
    EXPECT_EQ(NameOfError(created), row.of_store);
    EXPECT_EQ(created.error().message, text);
    EXPECT_EQ(NameOfError(Ask("UpdateCustomKeyStore",
                              {{"CustomKeyStoreId", store_},
                               {"XksProxyUriPath", "/new/kms/xks/v1"}})),
              row.of_store);
    EXPECT_EQ(NameOfError(CreateExternalKey(store_, "key-2")), row.of_key);
    const json key = {{"KeyId", key_}};
    json request = key;
    request["Plaintext"] = "YQ==";
    EXPECT_THAT(Ask("Encrypt", request),
                StatusIs(ErrorCode::kInvalidState, text));
    EXPECT_THAT(Ask("Decrypt", {{"CiphertextBlob", blob}}),
                StatusIs(ErrorCode::kInvalidState, text));

    Take(OnStore("ConnectCustomKeyStore", idle));
    ConnectPending();
    EXPECT_EQ(State(idle), std::string("FAILED ") + row.connection_error_code);
    Take(OnStore("DisconnectCustomKeyStore", idle));
    EXPECT_EQ(State(store_), "CONNECTED");
  }
  // Of what the proxy says, nothing reaches a client.
  EXPECT_THAT(LogText(), Not(HasSubstr("words of the proxy")));
}

TEST_F(OutcomesTest, ManagersThatAreAllUnavailableCannotBeReached) {
  using Managers = std::vector<hsm::ExternalManagerHealth>;
  const std::vector<std::pair<Managers, std::string>> cases = {
      {{{"a", "m", "UNAVAILABLE"}, {"b", "m", "UNAVAILABLE"}}, kUnreachable},
      {{{"a", "m", "active"}}, kUnreachable},
      {{}, kInvalidResponse},
      {{{"a", "m", "UNAVAILABLE"}, {"b", "m", "DEGRADED"}}, "none"},
  };
  for (const auto& [managers, expected] : cases) {
    const Managers& told = managers;
    xks_.lie = [&told](hsm::XksReply& reply) { reply.managers = told; };
    EXPECT_EQ(NameOfError(Ask("CreateCustomKeyStore",
                              StoreInput("new", "/new/kms/xks/v1"))),
              expected);
  }
}

TEST_F(OutcomesTest, AnExternalKeyMustBeOfTheRightKind) {
  using Reply = hsm::XksReply;
  const std::vector<std::pair<void (*)(Reply&), std::string>> cases = {
      {[](Reply& reply) { reply.key_spec = "AES_128"; }, "AES_128"},
      {[](Reply& reply) { reply.key_spec.clear(); }, "AES_256"},
      {[](Reply& reply) { reply.key_status = "DISABLED"; }, "DISABLED"},
      {[](Reply& reply) { reply.key_usages = {"ENCRYPT"}; }, "DECRYPT"},
      {[](Reply& reply) { reply.key_usages = {"DECRYPT"}; }, "ENCRYPT"},
      {[](Reply& reply) { reply.key_usages.clear(); }, "ENCRYPT"},
  };
  for (const auto& [lie, text] : cases) {
    xks_.lie = lie;
    EXPECT_THAT(
        CreateExternalKey(store_, "key-2"),
        StatusIs(ErrorCode::kXksKeyInvalidConfiguration, HasSubstr(text)));
  }
}

// What is not the proxy's fault.
TEST_F(OutcomesTest, OurOwnTroubleIsTold) {
  const json request = {{"KeyId", key_}, {"Plaintext", "YQ=="}};
  const std::map<ErrorCode, ErrorCode> uses = {
      {ErrorCode::kThrottled, ErrorCode::kThrottled},
      {ErrorCode::kTimeout, ErrorCode::kInvalidState},
      {ErrorCode::kHsmUnavailable, ErrorCode::kInvalidState}};
  for (const auto& [error, expected] : uses) {
    xks_.error = error;
    const auto refused = Ask("Encrypt", request);
    EXPECT_THAT(refused, StatusIs(expected));
    if (expected == ErrorCode::kInvalidState) {
      EXPECT_THAT(refused.error().message,
                  HasSubstr("This server could not ask"));
    }
    EXPECT_THAT(
        Ask("CreateCustomKeyStore", StoreInput("new", "/new/kms/xks/v1")),
        StatusIs(error == ErrorCode::kThrottled ? error
                                                : ErrorCode::kInternal));
    EXPECT_THAT(
        CreateExternalKey(store_, "key-2"),
        StatusIs(error == ErrorCode::kThrottled ? error : ErrorCode::kTimeout));
  }
  // A proxy that our network lets nothing out to cannot be reached.
  xks_.error = ErrorCode::kIo;
  EXPECT_THAT(Ask("Encrypt", request), StatusIs(ErrorCode::kInvalidState));
  EXPECT_THAT(CreateExternalKey(store_, "key-2"),
              StatusIs(ErrorCode::kCustomKeyStoreInvalidState));
  EXPECT_THAT(Ask("CreateCustomKeyStore", StoreInput("new", "/new/kms/xks/v1")),
              StatusIs(ErrorCode::kXksProxyUnreachable));
  EXPECT_THAT(
      Ask("UpdateCustomKeyStore", {{"CustomKeyStoreId", store_},
                                   {"XksProxyUriPath", "/other/kms/xks/v1"}}),
      StatusIs(ErrorCode::kXksProxyUnreachable));
  xks_.error.reset();
  environment().xks = nullptr;
  EXPECT_THAT(Ask("Encrypt", request), StatusIs(ErrorCode::kInvalidState));
}

// Of each kind of failure a line in a minute.
TEST_F(OutcomesTest, FailuresOfCryptographicOperationsAreLogged) {
  const json request = {{"KeyId", key_}, {"Plaintext", "YXR0YWNr"}};
  const auto logged = [&](int times) {
    testing::internal::CaptureStdout();
    for (int i = 0; i < times; ++i) {
      EXPECT_FALSE(Ask("Encrypt", request));
    }
    return testing::internal::GetCapturedStdout();
  };
  const std::string store = "custom key store " + store_;
  xks_.outcome = XksOutcome::kAccessDenied;
  std::string log = logged(3);
  EXPECT_EQ(std::ranges::count(log, '\n'), 1) << log;
  EXPECT_THAT(
      log, AllOf(HasSubstr(store + ": Encrypt failed"),
                 HasSubstr("denied the operation"),
                 HasSubstr("(words of the proxy)"), Not(HasSubstr("YXR0YWNr")),
                 Not(HasSubstr("attack")), Not(HasSubstr("more like this"))));
  xks_.outcome = XksOutcome::kTls;
  EXPECT_THAT(logged(1), HasSubstr("No TLS connection"));
  xks_.outcome = XksOutcome::kOk;
  xks_.error = ErrorCode::kHsmUnavailable;
  EXPECT_THAT(logged(2),
              HasSubstr("its proxy was not asked (the worker is gone)"));
  xks_.error.reset();
  clock_.Advance(XksFailures::kInterval);
  xks_.outcome = XksOutcome::kAccessDenied;
  log = logged(2);
  EXPECT_EQ(std::ranges::count(log, '\n'), 1) << log;
  EXPECT_THAT(log, HasSubstr("; 2 more like this were not logged"));
}

TEST_F(OutcomesTest, AnAnswerThatNoProxyMayGiveIsLogged) {
  xks_.lie = [](hsm::XksReply& reply) { reply.sealed.ciphertext.clear(); };
  testing::internal::CaptureStdout();
  EXPECT_FALSE(Ask("Encrypt", {{"KeyId", key_}, {"Plaintext", "YQ=="}}));
  EXPECT_THAT(testing::internal::GetCapturedStdout(),
              HasSubstr("has a wrong length"));
}

// A log is read on terminals.
TEST_F(OutcomesTest, WordsOfAProxyAreCutAndMadePrintable) {
  xks_.outcome = XksOutcome::kInternal;
  xks_.words = "\x1b[2J\nfake line\n" + std::string(1000, 'a');
  testing::internal::CaptureStdout();
  EXPECT_FALSE(Ask("Encrypt", {{"KeyId", key_}, {"Plaintext", "YQ=="}}));
  const std::string log = testing::internal::GetCapturedStdout();
  EXPECT_EQ(std::ranges::count(log, '\n'), 1) << log;
  EXPECT_THAT(log, AllOf(HasSubstr("(?[2J?fake line?aaa"),
                         Not(HasSubstr(std::string(256, 'a')))));
}

TEST(XksFailures, AreForgottenWithTheirStores) {
  XksFailures failures;
  const base::MonotonicTime now{};
  EXPECT_EQ(failures.Count("a", XksOutcome::kTls, now), 0U);
  EXPECT_EQ(failures.Count("b", XksOutcome::kTls, now), 0U);
  EXPECT_EQ(failures.Count("a", ErrorCode::kIo, now), 0U);
  failures.Retain([](std::string_view id) { return id == "b"; });
  EXPECT_EQ(failures.Count("a", XksOutcome::kTls, now), 0U);
  EXPECT_EQ(failures.Count("b", XksOutcome::kTls, now), std::nullopt);
}

}  // namespace
}  // namespace kms::operations
