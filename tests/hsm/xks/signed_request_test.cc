// SPDX-License-Identifier: Apache-2.0
#include "hsm/xks/signed_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/sigv4_key.h"
#include "base/sigv4_time.h"
#include "base/sigv4_verifier.h"
#include "tests/hsm/xks/requests.h"
#include "tests/testlib/status.h"
#include "tests/testlib/vectors.h"

namespace hsm::xks {
namespace {

using base::ErrorCode;
using hsm_test::RequestFor;
using nlohmann::json;
using testing::HasSubstr;
using testlib::StatusIs;
using testlib::Take;

json Body(const XksRequest& request) {
  return json::parse(std::string_view(BodyOf(request)));
}

TEST(XksBody, HealthSaysWhoAsksAndNothingElse) {
  EXPECT_EQ(Body(RequestFor(XksOperation::kHealth)),
            json({{"requestMetadata",
                   {{"kmsRequestId", "4112f4d6-db54-4af4-ae30-c55a22a8dfae"},
                    {"kmsOperation", "Encrypt"}}}}));
}

TEST(XksBody, MetadataHasWhatThereIs) {
  XksRequest request = RequestFor(XksOperation::kMetadata);
  request.kms_operation = "CreateKey";
  request.key_arn.clear();
  request.source_vpc = "vpc-1";
  request.source_vpce = "vpce-1";
  EXPECT_EQ(Body(request),
            json({{"requestMetadata",
                   {{"kmsRequestId", "4112f4d6-db54-4af4-ae30-c55a22a8dfae"},
                    {"kmsOperation", "CreateKey"},
                    {"awsPrincipalArn", "arn:aws:iam::123456789012:user/Alice"},
                    {"awsSourceVpc", "vpc-1"},
                    {"awsSourceVpce", "vpce-1"}}}}));
}

TEST(XksBody, EncryptAlwaysAsksForIntegrity) {
  XksRequest request = RequestFor(XksOperation::kEncrypt);
  request.via_service = "s3.us-east-1.amazonaws.com";
  request.plaintext = base::Secret::CopyOf(std::string_view("Hello World!"));
  const json metadata = {
      {"kmsRequestId", "4112f4d6-db54-4af4-ae30-c55a22a8dfae"},
      {"kmsOperation", "Encrypt"},
      {"awsPrincipalArn", "arn:aws:iam::123456789012:user/Alice"},
      {"kmsKeyArn", "arn:aws:kms:us-east-1:123456789012:key/k"},
      {"kmsViaService", "s3.us-east-1.amazonaws.com"}};
  json expected = {{"requestMetadata", metadata},
                   {"plaintext", "SGVsbG8gV29ybGQh"},
                   {"encryptionAlgorithm", "AES_GCM"},
                   {"ciphertextDataIntegrityValueAlgorithm", "SHA_256"}};
  EXPECT_EQ(Body(request), expected);
  request.aad = {1, 2, 3};
  expected["additionalAuthenticatedData"] = "AQID";
  EXPECT_EQ(Body(request), expected);
}

TEST(XksBody, DecryptSendsBackWhatCame) {
  XksRequest request = RequestFor(XksOperation::kDecrypt);
  request.sealed.ciphertext = {1};
  request.sealed.iv = base::Bytes(12, 0);
  request.sealed.tag = base::Bytes(16, 0);
  json expected = {{"requestMetadata", Body(request)["requestMetadata"]},
                   {"ciphertext", "AQ=="},
                   {"initializationVector", "AAAAAAAAAAAAAAAA"},
                   {"authenticationTag", "AAAAAAAAAAAAAAAAAAAAAA=="},
                   {"encryptionAlgorithm", "AES_GCM"}};
  EXPECT_EQ(Body(request), expected);
  request.sealed.metadata = {9};
  request.aad = {1, 2, 3};
  expected["ciphertextMetadata"] = "CQ==";
  expected["additionalAuthenticatedData"] = "AQID";
  EXPECT_EQ(Body(request), expected);
}

TEST(XksBody, EscapesWhatCallersCanName) {
  XksRequest request = RequestFor(XksOperation::kHealth);
  request.kms_request_id = "a\",\"b\":\"\n\xc3\xa4";
  EXPECT_EQ(Body(request)["requestMetadata"]["kmsRequestId"],
            "a\",\"b\":\"\n\xc3\xa4");
}

TEST(SignRequest, GoesToThePathOfItsOperation) {
  const struct {
    XksOperation operation;
    const char* path;
  } rows[] = {{XksOperation::kHealth, "/p/kms/xks/v1/health"},
              {XksOperation::kMetadata, "/p/kms/xks/v1/keys/a.b_c-D9/metadata"},
              {XksOperation::kEncrypt, "/p/kms/xks/v1/keys/a.b_c-D9/encrypt"},
              {XksOperation::kDecrypt, "/p/kms/xks/v1/keys/a.b_c-D9/decrypt"}};
  for (const auto& row : rows) {
    XksRequest request = RequestFor(row.operation);
    const auto proxy = hsm_test::Proxy();
    proxy->endpoint = "https://XKS.Example.com";
    proxy->path = "/p/kms/xks/v1";
    request.proxy = proxy;
    request.external_key_id = "a.b_c-D9";
    ASSERT_OK_AND_ASSIGN(const SignedRequest made, SignRequest(request, {}));
    EXPECT_EQ(made.path, row.path);
    EXPECT_EQ(made.host, "xks.example.com");
  }
}

// The vector was made with botocore.
TEST(SignRequest, SignsAsBotocoreDoes) {
  const json vectors = testlib::ReadJsonVectors("sigv4/xks.json");
  int checked = 0;
  for (const json& vector : vectors) {
    if (!vector["headers"].contains("content-type")) {
      continue;  // We always sign it.
    }
    const std::string path = vector["path"];
    const std::size_t keys = path.find("/keys/");
    XksRequest request = RequestFor(XksOperation::kEncrypt);
    const auto proxy = hsm_test::Proxy();
    proxy->path = path.substr(0, keys);
    proxy->region = vector["region"];
    proxy->access_key_id = vector["access_key"];
    proxy->secret_access_key =
        base::Secret::CopyOf(vector["secret_key"].get<std::string>());
    request.proxy = proxy;
    request.external_key_id = path.substr(keys + 6, path.rfind('/') - keys - 6);
    const base::WallTime now =
        Take(base::ParseAmzDate(vector["date"].get<std::string>()));
    ASSERT_OK_AND_ASSIGN(const SignedRequest made, SignRequest(request, now));
    EXPECT_EQ(made.path, path);
    // The vector's signature is of its own body, in another order of members:
    // what differs is the payload's hash, so that goes into its place.
    std::string canonical = vector["canonical_request"];
    const base::Digest digest =
        base::ThreadHasher().Sha256(base::AsBytes(made.body));
    canonical.replace(canonical.rfind('\n') + 1, 64, base::HexEncode(digest));
    ASSERT_EQ(made.headers.size(), 3U);
    EXPECT_EQ(made.headers[0].value, vector["headers"]["content-type"]);
    EXPECT_EQ(made.headers[1].value, vector["date"]);
    EXPECT_THAT(made.headers[2].value,
                HasSubstr("SignedHeaders=" +
                          vector["signed_headers"].get<std::string>()));
    const std::string day = vector["date"].get<std::string>().substr(0, 8);
    const std::string scope =
        day + "/" + proxy->region + "/kms-xks-proxy/aws4_request";
    const std::string to_sign =
        "AWS4-HMAC-SHA256\n" + vector["date"].get<std::string>() + "\n" +
        scope + "\n" +
        base::HexEncode(base::ThreadHasher().Sha256(base::AsBytes(canonical)));
    base::Hasher& hasher = base::ThreadHasher();
    const base::Secret key =
        base::DeriveSigningKey(proxy->secret_access_key, scope, hasher);
    EXPECT_THAT(made.headers[2].value,
                testing::EndsWith("Signature=" +
                                  base::HexEncode(hasher.HmacSha256(
                                      key.Reveal(), base::AsBytes(to_sign)))));
    ++checked;
  }
  EXPECT_EQ(checked, 1);
}

TEST(SignRequest, VerifiesWithTheSecretAndNoOther) {
  const base::WallTime now = Take(base::ParseAmzDate("20241122T034418Z"));
  ASSERT_OK_AND_ASSIGN(const SignedRequest made,
                       SignRequest(hsm_test::EncryptOf("text"), now));
  std::vector<base::HeaderView> headers = {{"Host", made.host}};
  for (const base::Header& header : made.headers) {
    headers.push_back({header.name, header.value});
  }
  base::SigV4Request request = {
      .method = "POST",
      .path = made.path,
      .query = {},
      .headers = headers,
      .payload_sha256 = base::ThreadHasher().Sha256(base::AsBytes(made.body))};
  const std::vector<std::string_view> services = {"kms-xks-proxy"};
  ASSERT_OK_AND_ASSIGN(const base::SigV4Authorization authorization,
                       base::ReadAuthorization(request, services, now));
  EXPECT_EQ(authorization.access_key_id, hsm_test::kAccessKeyId);
  EXPECT_EQ(authorization.region, "us-east-1");
  EXPECT_EQ(authorization.signed_headers, "content-type;host;x-amz-date");
  base::SigV4Verifier verifier(base::ThreadHasher());
  const auto check = [&](std::string_view secret) {
    verifier.Clear();
    return verifier.Check(request, authorization, base::Secret::CopyOf(secret));
  };
  EXPECT_OK(check(hsm_test::kSecretKey));
  EXPECT_THAT(check("another"), StatusIs(ErrorCode::kInvalidSignature));
  headers[1].value = "text/plain";
  EXPECT_THAT(check(hsm_test::kSecretKey),
              StatusIs(ErrorCode::kInvalidSignature));
}

TEST(SignRequest, RefusesWhatTheApiDoesNotAllow) {
  XksRequest request = RequestFor(XksOperation::kHealth);
  request.proxy = nullptr;
  EXPECT_THAT(SignRequest(request, {}),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("no proxy")));
  const auto with = [](const std::string& endpoint, const std::string& path,
                       const std::string& key) {
    XksRequest made = RequestFor(XksOperation::kMetadata);
    const auto proxy = hsm_test::Proxy();
    proxy->endpoint = endpoint;
    proxy->path = path;
    made.proxy = proxy;
    made.external_key_id = key;
    return SignRequest(made, {});
  };
  const std::string endpoint = "https://x.example.com";
  EXPECT_OK(with(endpoint, "/kms/xks/v1", std::string(128, 'k')));
  EXPECT_OK(with(endpoint, "/a/b_-C9/kms/xks/v12", "."));
  for (const char* const bad :
       {"", "http://x.example.com", "https://", "https://x.example.com:443",
        "https://x.example.com/", "https://u@x.example.com",
        "https://x..example.com", "https://x.example.com.", "https://[::1]",
        "https://x.example.com?q", "https://x example.com",
        "HTTPS://x.example.com", "https://x.example.com\r\nh: v"}) {
    EXPECT_THAT(with(bad, "/kms/xks/v1", "k"),
                StatusIs(ErrorCode::kInvalidArgument, HasSubstr("endpoint")))
        << bad;
  }
  for (const std::string& bad :
       {std::string(), std::string("/"), std::string("kms/xks/v1"),
        std::string("/kms/xks/v"), std::string("/kms/xks/v123"),
        std::string("/kms/xks/vx"), std::string("//kms/xks/v1/.."),
        std::string("/a%2fb/kms/xks/v1"), std::string("/a.b/kms/xks/v1"),
        std::string("a/kms/xks/v1"), std::string("/a?/kms/xks/v1"),
        std::string("/a\n/kms/xks/v1"),
        "/" + std::string(118, 'a') + "/kms/xks/v1"}) {
    EXPECT_THAT(with(endpoint, bad, "k"),
                StatusIs(ErrorCode::kInvalidArgument, HasSubstr("path")))
        << bad;
  }
  for (const std::string& bad :
       {std::string(), std::string(129, 'k'), std::string("a/b"),
        std::string("a%b"), std::string("a b"), std::string("a?b"),
        std::string("\xc3\xa4"), std::string("a\n")}) {
    EXPECT_THAT(with(endpoint, "/kms/xks/v1", bad),
                StatusIs(ErrorCode::kInvalidArgument, HasSubstr("key id")))
        << bad;
  }
}

}  // namespace
}  // namespace hsm::xks
