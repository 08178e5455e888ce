// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <random>
#include <string>
#include <string_view>

#include "tests/testlib/status.h"

namespace base {
namespace {

using testing::HasSubstr;
using testing::Not;
using testlib::IsOk;
using testlib::IsOkAndHolds;
using testlib::StatusIs;
using testlib::Take;

// Calls `check` for every sequence of 0, 1 and 2 bytes and for random ones, of
// every length up to 300. The seed is fixed: a failure comes again.
template <typename Check>
void ForManyBytes(Check check) {
  check(Bytes());
  for (int a = 0; a < 256; ++a) {
    check(Bytes{static_cast<std::uint8_t>(a)});
    for (int b = 0; b < 256; ++b) {
      check(Bytes{static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b)});
    }
  }
  // NOLINTNEXTLINE(cert-msc32-c,cert-msc51-cpp)
  std::mt19937 random(20260101);
  for (std::size_t size = 3; size <= 300; ++size) {
    Bytes bytes(size);
    for (std::uint8_t& byte : bytes) {
      byte = static_cast<std::uint8_t>(random());
    }
    check(bytes);
  }
}

// Calls `check` for every text of `size` characters out of `alphabet`.
template <typename Check>
void ForAllTexts(std::string_view alphabet, std::size_t size, Check check) {
  std::string text(size, alphabet.front());
  std::vector<std::size_t> digits(size, 0);
  while (true) {
    check(text);
    std::size_t i = 0;
    for (; i < size; ++i) {
      digits[i] = (digits[i] + 1) % alphabet.size();
      text[i] = alphabet[digits[i]];
      if (digits[i] != 0) {
        break;
      }
    }
    if (i == size) {
      return;
    }
  }
}

TEST(HexTest, EncodesInLowerCase) {
  EXPECT_EQ(HexEncode({}), "");
  EXPECT_EQ(HexEncode(Bytes{0x00, 0x09, 0xAB, 0xFF}), "0009abff");
  std::string text = "0x";
  HexAppend(Bytes{0x1F}, text);
  EXPECT_EQ(text, "0x1f");
}

TEST(HexTest, RoundTripsInEitherCase) {
  ForManyBytes([](const Bytes& bytes) {
    std::string text = HexEncode(bytes);
    ASSERT_THAT(HexDecode(text), IsOkAndHolds(bytes));
    for (char& c : text) {
      c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    ASSERT_THAT(HexDecode(text), IsOkAndHolds(bytes));
  });
}

TEST(HexTest, EveryOtherCharacterIsRefused) {
  for (int c = 0; c < 256; ++c) {
    const bool is_digit = std::isxdigit(c) != 0;
    for (const std::size_t at : {0, 1}) {
      std::string text = "00";
      text[at] = static_cast<char>(c);
      EXPECT_EQ(HexDecode(text).has_value(), is_digit) << c;
    }
  }
  EXPECT_THAT(HexDecode("zz"),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("character")));
  EXPECT_THAT(HexDecode("abc"),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("odd number")));
}

// RFC 4648, section 10.
TEST(Base64Test, EncodesAndDecodesTheVectorsOfTheStandard) {
  constexpr std::pair<const char*, const char*> kVectors[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [plain, encoded] : kVectors) {
    EXPECT_EQ(Base64Encode(AsBytes(plain)), encoded);
    ASSERT_OK_AND_ASSIGN(const Bytes decoded, Base64Decode(encoded));
    EXPECT_EQ(AsText(decoded), plain);
    ASSERT_OK_AND_ASSIGN(const Secret secret, Base64DecodeSecret(encoded));
    EXPECT_EQ(secret.RevealText(), plain);
    WipingString appended = "x";
    Base64Append(AsBytes(plain), appended);
    EXPECT_EQ(appended, WipingString("x") + encoded);
  }
}

TEST(Base64Test, RoundTrips) {
  ForManyBytes([](const Bytes& bytes) {
    ASSERT_THAT(Base64Decode(Base64Encode(bytes)), IsOkAndHolds(bytes));
  });
}

// One value has one spelling: whatever is accepted is what would be written.
TEST(Base64Test, OnlyTheCanonicalSpellingIsAccepted) {
  std::size_t accepted = 0;
  ForAllTexts("AQgw/+=-_ \n", 4, [&](const std::string& text) {
    const Result<Bytes> decoded = Base64Decode(text);
    ASSERT_EQ(Base64DecodeSecret(text).has_value(), decoded.has_value());
    if (decoded.has_value()) {
      ++accepted;
      ASSERT_EQ(Base64Encode(*decoded), text);
    }
  });
  // Of A Q g w / +, four at a time; three and '=' where the last one's two low
  // bits are zero (A Q g w); two and '==' where its four low bits are (A Q g
  // w).
  EXPECT_EQ(accepted, 6u * 6 * 6 * 6 + 6 * 6 * 4 + 6 * 4);
}

TEST(Base64Test, EveryOtherCharacterIsRefused) {
  for (int c = 0; c < 256; ++c) {
    const bool in_alphabet = std::isalnum(c) != 0 || c == '+' || c == '/';
    for (std::size_t at = 0; at < 4; ++at) {
      std::string text = "QUJD";
      text[at] = static_cast<char>(c);
      const bool padding = c == '=' && at == 3;  // "QUI=" would be: see below.
      EXPECT_EQ(Base64Decode(text).has_value(), in_alphabet && !padding) << c;
    }
  }
  EXPECT_THAT(Base64Decode("QUI="), IsOk());
  EXPECT_THAT(Base64Decode("QUJ="), Not(IsOk()));  // Unused bits are not zero.
}

TEST(Base64Test, WrongLengthsAndMisplacedPaddingAreRefused) {
  for (const char* text :
       {"Q",     "QU",       "QUI",      "QUJDR",    "=",
        "==",    "===",      "====",     "Q===",     "=UJD",
        "QU=D",  "QUI=QUI=", "QQ==QUJD", "QUJD====", "QUI= ",
        " QUI=", "QUJD\n",   "QUJD\r\n", "QU\nJD==", "QUJD="}) {
    EXPECT_THAT(Base64Decode(text),
                StatusIs(ErrorCode::kInvalidArgument, HasSubstr("RFC 4648")))
        << text;
    EXPECT_THAT(Base64DecodeSecret(text), StatusIs(ErrorCode::kInvalidArgument))
        << text;
  }
  EXPECT_THAT(Base64Decode(std::string_view("QUJ\0", 4)), Not(IsOk()));
}

TEST(ViewsTest, TextAndBytesAreViewsOfTheSameMemory) {
  const std::string text("a\0b", 3);
  const ByteView bytes = AsBytes(text);
  ASSERT_EQ(bytes.size(), 3u);
  EXPECT_EQ(bytes[1], 0);
  EXPECT_EQ(AsText(bytes).data(), text.data());
  EXPECT_EQ(AsText(bytes), text);
}

}  // namespace
}  // namespace base
