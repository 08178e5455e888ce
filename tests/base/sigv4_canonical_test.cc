// SPDX-License-Identifier: Apache-2.0
#include "base/sigv4_canonical.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/bytes.h"
#include "tests/base/sigv4_vectors.h"
#include "tests/testlib/status.h"

namespace base {
namespace {

using testing::HasSubstr;
using testlib::StatusIs;

class SigV4CanonicalTest : public testing::TestWithParam<SigV4Vector> {};

TEST_P(SigV4CanonicalTest, RequestAndStringToSignAreThoseOfTheVector) {
  OwnedRequest request = OwnedRequest::Signed(GetParam());
  std::string canonical;
  ASSERT_OK(AppendCanonicalRequest(request.view(), GetParam().signed_headers,
                                   canonical));
  EXPECT_EQ(canonical, GetParam().canonical_request);

  std::string to_sign;
  const std::string scope = GetParam().date.substr(0, 8) + "/" +
                            GetParam().region + "/" + GetParam().service +
                            "/aws4_request";
  AppendStringToSign(GetParam().date, scope,
                     ThreadHasher().Sha256(AsBytes(canonical)), to_sign);
  EXPECT_EQ(to_sign, GetParam().string_to_sign);
}

INSTANTIATE_TEST_SUITE_P(Vectors, SigV4CanonicalTest,
                         testing::ValuesIn(AllSigV4Vectors()), SigV4CaseName);

struct Case {
  const char* in;
  const char* want;
};

TEST(CanonicalPathTest, IsNormalisedAndEncodedOnceMore) {
  constexpr Case kCases[] = {
      {"", "/"},
      {"/", "/"},
      {"//", "/"},
      {"/.", "/"},
      {"/..", "/"},
      {"/../../a", "/a"},
      {"/a/", "/a/"},
      {"/a//b", "/a/b"},
      {"/a/./b/", "/a/b/"},
      {"/a/b/..", "/a"},
      {"/a/b/../", "/a/"},
      {"/a/...", "/a/..."},
      {"/a%2Fb", "/a%252Fb"},
      {"/%2e%2e/a", "/%252e%252e/a"},
      {"/a b", "/a%20b"},
      {"/AZaz09-._~", "/AZaz09-._~"},
      {"/!$&'()*+,;=:@", "/%21%24%26%27%28%29%2A%2B%2C%3B%3D%3A%40"},
      {"/\xE1\x88\xB4", "/%E1%88%B4"},
      {"/kms/xks/v1/keys/a.b_c-D9/metadata",
       "/kms/xks/v1/keys/a.b_c-D9/metadata"},
  };
  for (const Case& c : kCases) {
    std::string out = "before/it";
    AppendCanonicalPath(c.in, out);
    EXPECT_EQ(out, std::string("before/it") + c.want) << c.in;
  }
}

TEST(CanonicalQueryTest, IsDecodedEncodedAndSorted) {
  constexpr Case kCases[] = {
      {"", ""},
      {"a", "a="},
      {"a=", "a="},
      {"=a", "=a"},
      {"b=2&a=1", "a=1&b=2"},
      {"a=2&a=10&a=1", "a=1&a=10&a=2"},
      {"a-=1&a=2", "a=2&a-=1"},
      {"a=b=c", "a=b%3Dc"},
      {"a=x/y:z", "a=x%2Fy%3Az"},
      {"a=%41%7e%2f", "a=A~%2F"},
      {"a=1+1", "a=1%2B1"},
      {"%E1%88%B4=1&Z=2", "%E1%88%B4=1&Z=2"},
      {"\xE1\x88\xB4=bar", "%E1%88%B4=bar"},
      {"a=%00", "a=%00"},
  };
  for (const Case& c : kCases) {
    std::string out = "before";
    EXPECT_OK(AppendCanonicalQuery(c.in, out)) << c.in;
    EXPECT_EQ(out, std::string("before") + c.want) << c.in;
  }
}

TEST(CanonicalQueryTest, ABrokenEscapeIsRefused) {
  for (const char* query : {"a=%", "a=%4", "a=%zz", "%=1", "%4=1", "a=%%41"}) {
    std::string out;
    EXPECT_THAT(AppendCanonicalQuery(query, out),
                StatusIs(ErrorCode::kInvalidSignature, HasSubstr("%")))
        << query;
  }
}

std::string CanonicalOf(const std::vector<HeaderView>& headers,
                        std::string_view signed_headers) {
  const SigV4Request request{"GET", "/", "", headers, Digest{}};
  std::string out;
  testlib::Take(AppendCanonicalRequest(request, signed_headers, out));
  // Between the empty query and the empty line.
  const std::size_t start = std::string_view("GET\n/\n\n").size();
  return out.substr(start, out.find("\n\n", start) + 1 - start);
}

TEST(CanonicalHeadersTest, ValuesAreTrimmedCollapsedAndJoined) {
  EXPECT_EQ(CanonicalOf({{"Host", "h"}, {"A", "\t x  \t y "}}, "a;host"),
            "a:x y\nhost:h\n");
  EXPECT_EQ(CanonicalOf({{"a", "2"}, {"A", " 1 "}, {"Host", "h"}}, "a"),
            "a:2,1\n");
  EXPECT_EQ(CanonicalOf({{"a", ""}, {"A", "  "}}, "a"), "a:,\n");
}

TEST(CanonicalHeadersTest, AValueCannotPoseAsAnotherLine) {
  EXPECT_EQ(CanonicalOf({{"a", "x\r\nhost:evil"}, {"host", "h"}}, "a;host"),
            "a:x host:evil\nhost:h\n");
}

TEST(CanonicalHeadersTest, HostAndAuthorityStandInForOneAnother) {
  EXPECT_EQ(CanonicalOf({{":authority", "h"}}, "host"), "host:h\n");
  EXPECT_EQ(CanonicalOf({{"Host", "h"}}, ":authority"), ":authority:h\n");
  EXPECT_EQ(
      CanonicalOf({{":authority", "a"}, {"host", "h"}}, ":authority;host"),
      ":authority:a\nhost:h\n");
}

TEST(CanonicalHeadersTest, AMissingSignedHeaderIsNamed) {
  const std::vector<HeaderView> headers = {{"Host", "h"}};
  const SigV4Request request{"GET", "/", "", headers, Digest{}};
  std::string out;
  EXPECT_THAT(AppendCanonicalRequest(request, "host;x-amz-date", out),
              StatusIs(ErrorCode::kInvalidSignature,
                       HasSubstr("'x-amz-date' is not in the request")));
}

}  // namespace
}  // namespace base
