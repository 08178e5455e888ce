// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <array>
#include <string>

#include "kms/client/key_uri.h"
#include "tests/testlib/status.h"

namespace kms::client {
namespace {

using base::ErrorCode;
using testing::HasSubstr;
using testlib::StatusIs;

struct GoodRow {
  const char* text;
  KeyUri uri;
};
const std::array good_rows = {
    GoodRow{"claviger:alias/web", {"alias/web", {}, {}, {}, {}, {}}},
    GoodRow{"claviger:01234567-89ab-4cde-8f01-23456789abcd",
            {"01234567-89ab-4cde-8f01-23456789abcd", {}, {}, {}, {}, {}}},
    GoodRow{
        "claviger:arn:aws:kms:eu-west-1:000000000000:alias/web",
        {"arn:aws:kms:eu-west-1:000000000000:alias/web", {}, {}, {}, {}, {}}},
    GoodRow{"claviger:alias/web?endpoint=unix:/a%20b&profile=p&region=r&"
            "token=t&type=RSA-PSS",
            {"alias/web", "r", "unix:/a b", "p", "t", "RSA-PSS"}},
    GoodRow{"claviger:alias/100%25", {"alias/100%", {}, {}, {}, {}, {}}},
};

TEST(KeyUriTest, ReadsWhatItWrites) {
  for (const GoodRow& row : good_rows) {
    EXPECT_THAT(ParseKeyUri(row.text), testlib::IsOkAndHolds(row.uri));
    EXPECT_EQ(FormatKeyUri(row.uri), row.text);
  }
  // More than one way to write a thing.
  EXPECT_THAT(ParseKeyUri("claviger:alias%2fweb?region=%72"),
              testlib::IsOkAndHolds(KeyUri{"alias/web", "r", {}, {}, {}, {}}));
}

struct BadRow {
  const char* text;
  const char* reason;
};
constexpr std::array kBad = {
    BadRow{"", "does not begin with claviger:"},
    BadRow{"alias/web", "does not begin with claviger:"},
    BadRow{"Claviger:alias/web", "does not begin with claviger:"},
    BadRow{"pkcs11:object=web", "does not begin with claviger:"},
    BadRow{"claviger:", "names no key"},
    BadRow{"claviger:?region=r", "names no key"},
    BadRow{"claviger:alias/web?", "no option "},
    BadRow{"claviger:alias/web?region", "no option region"},
    BadRow{"claviger:alias/web?region=", "region has no value"},
    BadRow{"claviger:alias/web?region=r&", "no option "},
    BadRow{"claviger:alias/web?Region=r", "no option Region"},
    BadRow{"claviger:alias/web?region=r&region=r", "region is there twice"},
    BadRow{"claviger:alias/web?secret=s", "no option secret"},
    BadRow{"claviger:alias/web?type=EC", "type can only be RSA-PSS"},
    BadRow{"claviger:alias/ web", "no visible ASCII"},
    BadRow{"claviger:alias/web\n", "no visible ASCII"},
    BadRow{"claviger:alias/w\xc3\xab", "no visible ASCII"},
    BadRow{"claviger:alias/%0a", "no visible ASCII"},
    BadRow{"claviger:alias/%00", "no visible ASCII"},
    BadRow{"claviger:alias/%", "two hexadecimal digits"},
    BadRow{"claviger:alias/%2", "two hexadecimal digits"},
    BadRow{"claviger:alias/%zz", "two hexadecimal digits"},
};

TEST(KeyUriTest, SaysWhatIsWrong) {
  for (const BadRow& row : kBad) {
    EXPECT_THAT(ParseKeyUri(row.text),
                StatusIs(ErrorCode::kInvalidArgument, HasSubstr(row.reason)))
        << row.text;
  }
  EXPECT_THAT(ParseKeyUri("claviger:" + std::string(kMaxKeyUriBytes, 'a')),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("too long")));
}

TEST(KeyUriTest, AReferenceHoldsTheUri) {
  for (const GoodRow& row : good_rows) {
    const base::Bytes der = EncodeReference(row.uri);
    EXPECT_THAT(DecodeReference(der), testlib::IsOkAndHolds(row.uri));
    EXPECT_TRUE(MayBeReference(base::ByteView(der).first(
        std::min(der.size(), kReferencePrefixBytes))));
  }
  // The lengths around those where DER changes its form.
  for (std::size_t size = 80; size < 270; ++size) {
    const KeyUri uri = {std::string(size, 'k'), {}, {}, {}, {}, {}};
    EXPECT_THAT(DecodeReference(EncodeReference(uri)),
                testlib::IsOkAndHolds(uri));
  }
  const KeyUri longest = {
      std::string(kMaxKeyUriBytes - 9, 'k'), {}, {}, {}, {}, {}};
  EXPECT_LE(EncodeReference(longest).size(), kMaxReferenceBytes);
  EXPECT_THAT(DecodeReference(EncodeReference(longest)),
              testlib::IsOkAndHolds(longest));
}

TEST(KeyUriTest, AnyChangeOfAReferenceIsNoticedOrIsAnotherUri) {
  const base::Bytes good = EncodeReference(good_rows[0].uri);
  for (std::size_t i = 0; i < good.size(); ++i) {
    EXPECT_THAT(DecodeReference(base::ByteView(good).first(i)),
                StatusIs(ErrorCode::kInvalidArgument));
    for (int bit = 0; bit < 8; ++bit) {
      base::Bytes bad = good;
      bad[i] = static_cast<std::uint8_t>(bad[i] ^ (1U << bit));
      const auto read = DecodeReference(bad);
      EXPECT_TRUE(!read.has_value() || *read != good_rows[0].uri) << i;
    }
  }
  base::Bytes longer = good;
  longer.push_back(0);
  EXPECT_FALSE(DecodeReference(longer).has_value());
}

}  // namespace
}  // namespace kms::client
