// SPDX-License-Identifier: Apache-2.0
#include "base/sigv4_signer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/sigv4_key.h"
#include "base/sigv4_verifier.h"
#include "tests/base/sigv4_vectors.h"
#include "tests/testlib/status.h"

namespace base {
namespace {

using testing::HasSubstr;
using testing::IsNull;
using testing::NotNull;
using testlib::IsOk;
using testlib::StatusIs;

SigV4Signer SignerOf(const SigV4Vector& vector, Hasher& hasher) {
  return SigV4Signer(hasher,
                     {vector.access_key, vector.secret(), vector.session_token},
                     vector.region, vector.service);
}

class SigV4SignerTest : public testing::TestWithParam<SigV4Vector> {};

TEST_P(SigV4SignerTest, AddsWhatTheVectorHas) {
  SigV4Signer signer = SignerOf(GetParam(), ThreadHasher());
  OwnedRequest request = OwnedRequest::Unsigned(GetParam());
  ASSERT_OK_AND_ASSIGN(const std::vector<Header> added,
                       signer.Sign(request.view(), GetParam().time()));
  ASSERT_EQ(added.size(), GetParam().session_token.empty() ? 2u : 3u);
  EXPECT_EQ(added.front().name, "x-amz-date");
  EXPECT_EQ(added.front().value, GetParam().date);
  if (added.size() == 3) {
    EXPECT_EQ(added[1].name, "x-amz-security-token");
    EXPECT_EQ(added[1].value, GetParam().session_token);
  }
  EXPECT_EQ(added.back().name, "authorization");
  EXPECT_EQ(added.back().value, GetParam().authorization);
}

// The signer speaks HTTP/1.1, which has no ":authority".
std::vector<SigV4Vector> Http1Vectors() {
  std::vector<SigV4Vector> vectors = AllSigV4Vectors();
  std::erase_if(vectors, [](const SigV4Vector& vector) {
    return vector.signed_headers.starts_with(":authority");
  });
  return vectors;
}

INSTANTIATE_TEST_SUITE_P(Vectors, SigV4SignerTest,
                         testing::ValuesIn(Http1Vectors()), SigV4CaseName);

TEST(SigV4SignerTest, WhatItSignsTheVerifierAcceptsOnAnyDay) {
  const SigV4Vector vector = SigV4VectorNamed("kms-encrypt");
  SigV4Signer signer = SignerOf(vector, ThreadHasher());
  SigV4Verifier verifier(ThreadHasher());
  const std::array<std::string_view, 1> services = {"kms"};
  for (int day = 0; day < 3; ++day) {
    const WallTime now = vector.time() + std::chrono::days(day);
    OwnedRequest request = OwnedRequest::Unsigned(vector);
    request["User-Agent"] = "not signed";
    ASSERT_OK_AND_ASSIGN(const auto added, signer.Sign(request.view(), now));
    for (const Header& header : added) {
      request[header.name] = header.value;
    }
    request["User-Agent"] = "changed by a proxy";
    const SigV4Request view = request.view();
    ASSERT_OK_AND_ASSIGN(const SigV4Authorization claim,
                         ReadAuthorization(view, services, now));
    EXPECT_THAT(verifier.Check(view, claim, vector.secret()), IsOk());
  }
}

TEST(SigV4SignerTest, WorksInALibraryContextOfItsOwn) {
  const std::unique_ptr<OSSL_LIB_CTX, decltype(&OSSL_LIB_CTX_free)> context(
      OSSL_LIB_CTX_new(), OSSL_LIB_CTX_free);
  Hasher hasher(context.get());
  const SigV4Vector vector = SigV4VectorNamed("kms-encrypt");
  SigV4Signer signer = SignerOf(vector, hasher);
  OwnedRequest request = OwnedRequest::Unsigned(vector);
  ASSERT_OK_AND_ASSIGN(const auto added,
                       signer.Sign(request.view(), vector.time()));
  EXPECT_EQ(added.back().value, vector.authorization);
}

TEST(SigV4SignerTest, ARequestThatCannotBeSignedIsRefused) {
  const SigV4Vector vector = SigV4VectorNamed("kms-encrypt");
  SigV4Signer signer = SignerOf(vector, ThreadHasher());
  OwnedRequest request = OwnedRequest::Unsigned(vector);
  request.Remove("Host");
  EXPECT_THAT(signer.Sign(request.view(), vector.time()),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("host header")));
  for (const char* name :
       {"Authorization", "X-Amz-Date", "x-amz-security-token"}) {
    request = OwnedRequest::Unsigned(vector);
    request[name] = "x";
    EXPECT_THAT(signer.Sign(request.view(), vector.time()),
                StatusIs(ErrorCode::kInvalidArgument, HasSubstr("itself adds")))
        << name;
  }
}

// "Example: signing key", AWS General Reference.
TEST(SigningKeyTest, DerivationIsThatOfTheDocumentation) {
  const Secret key = DeriveSigningKey(
      Secret::CopyOf("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
      "20150830/us-east-1/iam/aws4_request", ThreadHasher());
  EXPECT_EQ(HexEncode(key.Reveal()),
            "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
}

TEST(SigningKeyCacheTest, FindsByCredentialAndGeneration) {
  SigningKeyCache cache;
  EXPECT_THAT(cache.Find("id/scope", 1), IsNull());
  cache.Put("id/scope", 1, Secret::CopyOf("one"));
  ASSERT_THAT(cache.Find("id/scope", 1), NotNull());
  EXPECT_EQ(cache.Find("id/scope", 1)->RevealText(), "one");
  EXPECT_THAT(cache.Find("id/scope", 2), IsNull());
  EXPECT_THAT(cache.Find("id/scop", 1), IsNull());
  cache.Put("id/scope", 2, Secret::CopyOf("two"));
  EXPECT_THAT(cache.Find("id/scope", 1), IsNull());
  ASSERT_THAT(cache.Find("id/scope", 2), NotNull());
  EXPECT_EQ(cache.Find("id/scope", 2)->RevealText(), "two");
  EXPECT_EQ(cache.size(), 1u);
}

TEST(SigningKeyCacheTest, IsBounded) {
  SigningKeyCache cache(3);
  for (int i = 0; i < 10; ++i) {
    const std::string credential = "id" + std::to_string(i) + "/scope";
    cache.Put(credential, 0, Secret(32));
    EXPECT_LE(cache.size(), 3u);
    EXPECT_THAT(cache.Find(credential, 0), NotNull());
  }
}

TEST(SigningKeyCacheTest, ForgetsEveryScopeOfOneIdAndNoOther) {
  SigningKeyCache cache;
  cache.Put("id/20260101/a", 0, Secret(1));
  cache.Put("id/20260102/a", 0, Secret(1));
  cache.Put("id2/20260101/a", 0, Secret(1));
  cache.Forget("id");
  EXPECT_EQ(cache.size(), 1u);
  EXPECT_THAT(cache.Find("id2/20260101/a", 0), NotNull());
  cache.Clear();
  EXPECT_EQ(cache.size(), 0u);
}

}  // namespace
}  // namespace base
