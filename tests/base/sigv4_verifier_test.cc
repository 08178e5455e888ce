// SPDX-License-Identifier: Apache-2.0
#include "base/sigv4_verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "tests/base/sigv4_vectors.h"
#include "tests/testlib/status.h"

namespace base {
namespace {

using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;
using testlib::IsOk;
using testlib::StatusIs;

constexpr const char* kMismatch =
    "The request signature we calculated does not match the signature you "
    "provided. Check your AWS Secret Access Key and signing method. Consult "
    "the service documentation for details.";

// All that a server does with a request.
Status VerifyAt(OwnedRequest& request, const SigV4Vector& vector,
                WallTime now) {
  const std::array<std::string_view, 1> services = {vector.service};
  const SigV4Request view = request.view();
  ASSIGN_OR_RETURN(const SigV4Authorization claim,
                   ReadAuthorization(view, services, now));
  if (claim.access_key_id != vector.access_key) {
    return Error{ErrorCode::kUnrecognizedClient, "no such access key id"};
  }
  SigV4Verifier verifier(ThreadHasher());
  return verifier.Check(view, claim, vector.secret());
}

Status Verify(OwnedRequest& request, const SigV4Vector& vector) {
  return VerifyAt(request, vector, vector.time());
}

class SigV4VerifierVectorTest : public testing::TestWithParam<SigV4Vector> {};

TEST_P(SigV4VerifierVectorTest, IsAccepted) {
  OwnedRequest request = OwnedRequest::Signed(GetParam());
  EXPECT_THAT(Verify(request, GetParam()), IsOk());
}

TEST_P(SigV4VerifierVectorTest, AnotherSecretIsRefused) {
  SigV4Vector vector = GetParam();
  vector.secret_key.back() ^= 1;
  OwnedRequest request = OwnedRequest::Signed(vector);
  EXPECT_THAT(Verify(request, vector),
              StatusIs(ErrorCode::kInvalidSignature, kMismatch));
}

INSTANTIATE_TEST_SUITE_P(Vectors, SigV4VerifierVectorTest,
                         testing::ValuesIn(AllSigV4Vectors()), SigV4CaseName);

// The rest uses one request with everything in it.
class SigV4VerifierTest : public testing::Test {
 protected:
  const SigV4Vector vector_ =
      SigV4VectorNamed("kms-encrypt-on-a-port-with-session-token");
  OwnedRequest request_ = OwnedRequest::Signed(vector_);

  void Replace(std::string_view from, std::string_view to) {
    std::string& header = request_["Authorization"];
    const std::size_t at = header.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    header.replace(at, from.size(), to);
  }
};

TEST_F(SigV4VerifierTest, TheClaimNamesIdRegionServiceAndTime) {
  const std::array<std::string_view, 3> services = {"sts", "kms", "iam"};
  const SigV4Request view = request_.view();
  ASSERT_OK_AND_ASSIGN(const SigV4Authorization claim,
                       ReadAuthorization(view, services, vector_.time()));
  EXPECT_EQ(claim.access_key_id, "AKIDEXAMPLE");
  EXPECT_EQ(claim.region, "eu-central-1");
  EXPECT_EQ(claim.service, "kms");
  EXPECT_EQ(claim.timestamp, "20150830T123600Z");
}

TEST_F(SigV4VerifierTest, HeaderNamesMayBeInAnyCase) {
  for (auto& header : request_.headers) {
    for (char& c : header.first) {
      c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
  }
  EXPECT_THAT(Verify(request_, vector_), IsOk());
}

TEST_F(SigV4VerifierTest, EveryDigitOfTheSignatureCounts) {
  std::string& header = request_["Authorization"];
  for (std::size_t i = header.size() - 64; i < header.size(); ++i) {
    const char good = header[i];
    header[i] = good == '0' ? '1' : '0';
    EXPECT_THAT(Verify(request_, vector_),
                StatusIs(ErrorCode::kInvalidSignature, kMismatch))
        << i;
    header[i] = good;
  }
  EXPECT_THAT(Verify(request_, vector_), IsOk());
}

TEST_F(SigV4VerifierTest, AnUpperCaseSignatureIsRefused) {
  std::string& header = request_["Authorization"];
  for (std::size_t i = header.size() - 64; i < header.size(); ++i) {
    header[i] =
        static_cast<char>(std::toupper(static_cast<unsigned char>(header[i])));
  }
  EXPECT_THAT(Verify(request_, vector_),
              StatusIs(ErrorCode::kIncompleteSignature));
}

TEST_F(SigV4VerifierTest, EveryByteThatIsSignedCounts) {
  const auto flip = [&](std::string& text, std::string_view what) {
    for (char& c : text) {
      c = static_cast<char>(c ^ 1);
      EXPECT_THAT(Verify(request_, vector_), testing::Not(IsOk())) << what;
      c = static_cast<char>(c ^ 1);
    }
  };
  flip(request_.method, "method");
  flip(request_.body, "body");
  for (auto& [name, value] : request_.headers) {
    flip(value, name);
    flip(name, name);
  }
  EXPECT_THAT(Verify(request_, vector_), IsOk());
}

TEST_F(SigV4VerifierTest, PathQueryAndBodyAreCovered) {
  const OwnedRequest good = request_;
  request_.path = "/other";
  EXPECT_THAT(Verify(request_, vector_),
              StatusIs(ErrorCode::kInvalidSignature, kMismatch));
  request_ = good;
  request_.query = "a=1";
  EXPECT_THAT(Verify(request_, vector_),
              StatusIs(ErrorCode::kInvalidSignature, kMismatch));
  request_ = good;
  request_.body.clear();
  EXPECT_THAT(Verify(request_, vector_),
              StatusIs(ErrorCode::kInvalidSignature, kMismatch));
}

TEST_F(SigV4VerifierTest, AHeaderAddedToTheListIsRefused) {
  request_["accept"] = "*/*";
  EXPECT_THAT(Verify(request_, vector_), IsOk());  // Not signed, not looked at.
  Replace("SignedHeaders=", "SignedHeaders=accept;");
  EXPECT_THAT(Verify(request_, vector_),
              StatusIs(ErrorCode::kInvalidSignature, kMismatch));
  request_.Remove("accept");
  EXPECT_THAT(Verify(request_, vector_),
              StatusIs(ErrorCode::kInvalidSignature,
                       HasSubstr("'accept' is not in the request")));
}

TEST_F(SigV4VerifierTest, AHeaderTakenFromTheListIsRefused) {
  const OwnedRequest good = request_;
  Replace("content-type;", "");
  EXPECT_THAT(Verify(request_, vector_),
              StatusIs(ErrorCode::kInvalidSignature, kMismatch));
  request_ = good;
  Replace("host;", "");
  EXPECT_THAT(Verify(request_, vector_),
              StatusIs(ErrorCode::kInvalidSignature,
                       "'Host' or ':authority' must be a 'SignedHeader' in "
                       "the AWS Authorization."));
  for (const char* name :
       {"x-amz-date;", ";x-amz-target", "x-amz-security-token;"}) {
    request_ = good;
    Replace(name, "");
    EXPECT_THAT(Verify(request_, vector_),
                StatusIs(ErrorCode::kInvalidSignature,
                         HasSubstr("Every X-Amz-* header must be")))
        << name;
  }
}

TEST_F(SigV4VerifierTest, AnAmzHeaderThatIsNotSignedIsRefused) {
  for (const char* name : {"x-amz-new", "X-AMZ-", "X-Amz-Target2"}) {
    OwnedRequest request = request_;
    request[name] = "x";
    EXPECT_THAT(Verify(request, vector_),
                StatusIs(ErrorCode::kInvalidSignature,
                         HasSubstr("Every X-Amz-* header")))
        << name;
  }
  request_["x-amzn-trace-id"] = "Root=1";  // Proxies add it.
  EXPECT_THAT(Verify(request_, vector_), IsOk());
}

TEST_F(SigV4VerifierTest, OneOfOursThatIsNotSignedIsRefused) {
  OwnedRequest request = request_;
  request["X-Claviger-Source-Arn"] = "arn:aws:sns:eu-west-1:111122223333:t";
  EXPECT_THAT(Verify(request, vector_),
              StatusIs(ErrorCode::kInvalidSignature,
                       HasSubstr("Every X-Claviger-* header")));
}

TEST_F(SigV4VerifierTest, TheHeadersThatWeReadOccurOnce) {
  for (const char* name :
       {"authorization", "x-amz-date", "host", "x-amz-security-token"}) {
    OwnedRequest request = request_;
    for (const auto& [key, value] : request_.headers) {
      if (IsHeader(key, name)) {
        request.headers.emplace_back(name, value);
      }
    }
    EXPECT_THAT(Verify(request, vector_),
                StatusIs(ErrorCode::kIncompleteSignature,
                         "The request has more than one '" + std::string(name) +
                             "' header."));
  }
  request_.headers.emplace_back("content-type", "text/plain");
  EXPECT_THAT(Verify(request_, vector_),
              StatusIs(ErrorCode::kInvalidSignature, kMismatch));
}

TEST_F(SigV4VerifierTest, AnUnsignedRequestHasNoAuthentication) {
  request_.Remove("Authorization");
  EXPECT_THAT(Verify(request_, vector_),
              StatusIs(ErrorCode::kMissingAuthentication,
                       "Request is missing Authentication Token"));
  request_.query = "X-Amz-Signature=" + std::string(64, 'a');
  EXPECT_THAT(Verify(request_, vector_),
              StatusIs(ErrorCode::kMissingAuthentication));
}

TEST_F(SigV4VerifierTest, ADateIsNeeded) {
  request_.Remove("X-Amz-Date");
  EXPECT_THAT(Verify(request_, vector_),
              StatusIs(ErrorCode::kIncompleteSignature,
                       "Authorization header requires existence of either a "
                       "'X-Amz-Date' or a 'Date' header. "
                       "Authorization=AWS4-HMAC-SHA256"));
  request_["Date"] = "Sun, 30 Aug 2015 12:36:00 GMT";
  EXPECT_THAT(Verify(request_, vector_),
              StatusIs(ErrorCode::kIncompleteSignature,
                       HasSubstr("ISO-8601 'basic format'")));
  request_["Date"] = vector_.date;
  EXPECT_THAT(Verify(request_, vector_),
              StatusIs(ErrorCode::kInvalidSignature,
                       HasSubstr("'Date' must be a 'SignedHeader'")));
}

TEST_F(SigV4VerifierTest, SkewOfExactlyFiveMinutesIsAllowed) {
  const WallTime at = vector_.time();
  for (const auto skew : {seconds(0), seconds(299), seconds(300)}) {
    EXPECT_THAT(VerifyAt(request_, vector_, at + skew), IsOk());
    EXPECT_THAT(VerifyAt(request_, vector_, at - skew), IsOk());
  }
  EXPECT_THAT(VerifyAt(request_, vector_, at + minutes(5) + microseconds(1)),
              IsOk());
}

TEST_F(SigV4VerifierTest, SkewOfMoreIsRefusedWithBothTimes) {
  const WallTime at = vector_.time();
  EXPECT_THAT(VerifyAt(request_, vector_, at + seconds(301)),
              StatusIs(ErrorCode::kInvalidSignature,
                       "Signature expired: 20150830T123600Z is now earlier "
                       "than 20150830T123601Z (20150830T124101Z - 5 min.)"));
  EXPECT_THAT(VerifyAt(request_, vector_, at - seconds(301)),
              StatusIs(ErrorCode::kInvalidSignature,
                       "Signature not yet current: 20150830T123600Z is still "
                       "later than 20150830T123559Z (20150830T123059Z + 5 "
                       "min.)"));
  EXPECT_THAT(
      VerifyAt(request_, vector_, at - minutes(5) - microseconds(1)),
      StatusIs(ErrorCode::kInvalidSignature, HasSubstr("not yet current")));
}

TEST_F(SigV4VerifierTest, ScopeOfAnotherDayRegionOrServiceIsRefused) {
  const OwnedRequest good = request_;
  Replace("/20150830/", "/20150829/");
  EXPECT_THAT(Verify(request_, vector_),
              StatusIs(ErrorCode::kInvalidSignature,
                       "Date in Credential scope does not match YYYYMMDD from "
                       "ISO-8601 version of date from HTTP: '20150829' != "
                       "'20150830', from '20150830T123600Z'."));
  request_ = good;
  Replace("/eu-central-1/", "/eu-central-2/");
  EXPECT_THAT(Verify(request_, vector_),
              StatusIs(ErrorCode::kInvalidSignature, kMismatch));
  request_ = good;
  Replace("/kms/", "/sts/");
  EXPECT_THAT(Verify(request_, vector_),
              StatusIs(ErrorCode::kInvalidSignature,
                       "Credential should be scoped to correct service: "
                       "'kms'. "));
  const std::array<std::string_view, 2> services = {"kms", "sts"};
  const SigV4Request view = request_.view();
  ASSERT_OK_AND_ASSIGN(const SigV4Authorization claim,
                       ReadAuthorization(view, services, vector_.time()));
  SigV4Verifier verifier(ThreadHasher());
  EXPECT_THAT(verifier.Check(view, claim, vector_.secret()),
              StatusIs(ErrorCode::kInvalidSignature, kMismatch));
}

TEST(SigV4ContentHashTest, TheHeaderIsTheDigestOfTheBodyOrRefused) {
  const SigV4Vector vector = SigV4VectorNamed("post-x-www-form-urlencoded");
  OwnedRequest request = OwnedRequest::Signed(vector);
  EXPECT_THAT(Verify(request, vector), IsOk());
  std::string upper = request["x-amz-content-sha256"];
  for (char& c : upper) {
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  for (const std::string& value :
       {std::string("UNSIGNED-PAYLOAD"),
        std::string("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), std::string(), upper,
        std::string(64, '0')}) {
    request["x-amz-content-sha256"] = value;
    EXPECT_THAT(Verify(request, vector),
                StatusIs(ErrorCode::kInvalidSignature,
                         HasSubstr("X-Amz-Content-SHA256")))
        << value;
  }
}

class SigV4CacheTest : public SigV4VerifierTest {
 protected:
  Status Check(const Secret& secret, std::uint64_t generation) {
    const std::array<std::string_view, 1> services = {"kms"};
    const SigV4Request view = request_.view();
    ASSIGN_OR_RETURN(const SigV4Authorization claim,
                     ReadAuthorization(view, services, vector_.time()));
    return verifier_.Check(view, claim, secret, generation);
  }

  SigV4Verifier verifier_{ThreadHasher()};
  const Secret good_ = vector_.secret();
  const Secret bad_ = Secret::CopyOf("another");
};

TEST_F(SigV4CacheTest, OneGenerationsKeyIsDerivedOnce) {
  EXPECT_THAT(Check(bad_, 1), StatusIs(ErrorCode::kInvalidSignature));
  EXPECT_THAT(Check(good_, 1), IsOk());  // A wrong secret was not kept.
  EXPECT_THAT(Check(bad_, 1), IsOk());   // The secret is not looked at again.
}

TEST_F(SigV4CacheTest, AnotherGenerationOrForgettingDerivesAnew) {
  EXPECT_THAT(Check(good_, 1), IsOk());
  EXPECT_THAT(Check(bad_, 2), StatusIs(ErrorCode::kInvalidSignature));
  EXPECT_THAT(Check(good_, 2), IsOk());
  EXPECT_THAT(Check(bad_, 1), StatusIs(ErrorCode::kInvalidSignature));
  verifier_.Forget("SOMEBODYELSE");
  EXPECT_THAT(Check(bad_, 2), IsOk());
  verifier_.Forget("AKIDEXAMPLE");
  EXPECT_THAT(Check(bad_, 2), StatusIs(ErrorCode::kInvalidSignature));
  EXPECT_THAT(Check(good_, 2), IsOk());
  verifier_.Clear();
  EXPECT_THAT(Check(bad_, 2), StatusIs(ErrorCode::kInvalidSignature));
}

}  // namespace
}  // namespace base
