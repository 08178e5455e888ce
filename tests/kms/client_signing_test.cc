// SPDX-License-Identifier: Apache-2.0
// What goes over TCP is signed so that the server's own verifier accepts it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "base/sigv4_verifier.h"
#include "kms/client/client.h"
#include "kms/client/request.h"
#include "tests/testlib/status.h"

namespace kms::client {
namespace {

using base::ErrorCode;
using testing::HasSubstr;
using testlib::StatusIs;
using testlib::Take;

constexpr base::WallTime kNow{std::chrono::seconds(1'795'000'000)};
constexpr std::string_view kBody = R"({"KeyId":"alias/a"})";

// A request as a server sees it. The views borrow from the text.
struct Received {
  std::vector<base::HeaderView> headers;
  std::string_view body;
};

Received Split(std::string_view text) {
  Received received;
  std::size_t line = text.find("\r\n") + 2;
  for (;;) {
    const std::size_t end = text.find("\r\n", line);
    const std::string_view field = text.substr(line, end - line);
    line = end + 2;
    if (field.empty()) {
      received.body = text.substr(line);
      return received;
    }
    const std::size_t colon = field.find(": ");
    received.headers.push_back(
        {field.substr(0, colon), field.substr(colon + 2)});
  }
}

class ClientSigningTest : public testing::Test {
 protected:
  ClientSigningTest() { options_.endpoint = Take(ParseEndpoint(kUrl)); }

  base::WipingString Request(const std::string& session_token) {
    base::SigV4Signer signer(
        hasher_,
        {"AKIDEXAMPLE", base::Secret::CopyOf("wJalrXUt"), session_token},
        options_.region, "kms");
    return Take(
        CallRequest(options_, "Encrypt", kBody, {&signer, hasher_, kNow}));
  }

  base::Status Verify(const Received& received, std::string_view secret) {
    constexpr std::array<std::string_view, 1> kServices = {"kms"};
    const base::SigV4Request request = {
        "POST", "/", "", received.headers,
        hasher_.Sha256(base::AsBytes(received.body))};
    ASSIGN_OR_RETURN(const base::SigV4Authorization claim,
                     base::ReadAuthorization(request, kServices, kNow));
    EXPECT_EQ(claim.access_key_id, "AKIDEXAMPLE");
    EXPECT_EQ(claim.region, "us-east-1");
    return base::SigV4Verifier(hasher_).Check(request, claim,
                                              base::Secret::CopyOf(secret));
  }

  static constexpr std::string_view kUrl = "https://kms.example:8443";
  base::Hasher hasher_{nullptr};
  Options options_;
};

TEST_F(ClientSigningTest, TheServersVerifierAcceptsIt) {
  const base::WipingString text = Request("");
  const Received received = Split(text);
  EXPECT_EQ(received.body, kBody);
  EXPECT_OK(Verify(received, "wJalrXUt"));
  EXPECT_THAT(text, HasSubstr("\r\nHost: kms.example:8443\r\n"));
  EXPECT_THAT(text, testing::Not(HasSubstr("X-Claviger-Region")));
}

TEST_F(ClientSigningTest, ASessionTokenIsSentAndSigned) {
  const base::WipingString text = Request("token/+=");
  const Received received = Split(text);
  EXPECT_OK(Verify(received, "wJalrXUt"));
  EXPECT_THAT(text, HasSubstr("token/+=\r\n"));
  EXPECT_THAT(text, HasSubstr("x-amz-security-token"));
}

TEST_F(ClientSigningTest, AnotherSecretOrBodyDoesNotVerify) {
  const base::WipingString text = Request("");
  EXPECT_THAT(Verify(Split(text), "wJalrXUu"),
              StatusIs(ErrorCode::kInvalidSignature));
  base::WipingString changed = text;
  changed.back() = ']';
  EXPECT_THAT(Verify(Split(changed), "wJalrXUt"),
              StatusIs(ErrorCode::kInvalidSignature));
}

class ClientOptionsTest : public testing::Test {
 protected:
  base::Status Create(Options options) {
    const auto client = Client::Create(std::move(options), clock_);
    return client.has_value() ? base::Status() : base::Status(client.error());
  }
  static Options OverTcp(std::string id, std::string token) {
    Options options;
    options.endpoint = Take(ParseEndpoint("http://127.0.0.1:1"));
    options.credentials.emplace(base::SigV4Credentials{
        std::move(id), base::Secret::CopyOf("s"), std::move(token)});
    return options;
  }
  base::RealClock clock_;
};

TEST_F(ClientOptionsTest, TcpNeedsCredentials) {
  Options options;
  options.endpoint = Take(ParseEndpoint("http://127.0.0.1:1"));
  EXPECT_THAT(
      Create(std::move(options)),
      StatusIs(ErrorCode::kInvalidArgument, HasSubstr("AWS_ACCESS_KEY_ID")));
  EXPECT_OK(Create(OverTcp("AKID", "token")));
}

TEST_F(ClientOptionsTest, NothingMayEndAHeader) {
  EXPECT_THAT(Create(OverTcp("AKID\r\nX: y", "")),
              StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Create(OverTcp("AKID", "a\nb")),
              StatusIs(ErrorCode::kInvalidArgument));
  for (const char* region : {"", "eu west", "eu/west", "eu\r\n", "\xC3\xA9"}) {
    Options options;
    options.region = region;
    EXPECT_THAT(Create(std::move(options)),
                StatusIs(ErrorCode::kInvalidArgument, HasSubstr("AWS_REGION")))
        << region;
  }
}

}  // namespace
}  // namespace kms::client
