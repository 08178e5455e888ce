// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/random.h"
#include "hsm/codec.h"
#include "hsm/frame.h"
#include "hsm/operations.h"
#include "hsm/status_codes.h"
#include "tests/testlib/status.h"

namespace hsm {
namespace {

using base::ErrorCode;
using testlib::IsOk;
using testlib::StatusIs;

// Fills every field with something that is not its default.
struct Filler {
  template <HasFields Message>
  void Fill(Message& message) {
    std::apply([this](auto&... field) { (this->Fill(field), ...); },
               Fields(message));
  }
  template <std::size_t kSize>
  void Fill(std::array<std::uint8_t, kSize>& bytes) {
    base::RandomBytes(bytes);
  }
  void Fill(std::uint16_t& value) { value = 0x0203; }
  void Fill(std::uint32_t& value) { value = 0x0c0d0e0f; }
  void Fill(std::uint64_t& value) { value = 0x0405060708090a0b; }
  void Fill(bool& value) { value = !value; }
  void Fill(Algorithm& value) { value = Algorithm::kAes256GcmCounter; }
  void Fill(SignatureScheme& value) { value = SignatureScheme::kPkcs1; }
  void Fill(Hash& value) { value = Hash::kSha384; }
  void Fill(WrappingAlgorithm& value) {
    value = WrappingAlgorithm::kRsaAesSha256;
  }
  void Fill(ImportRoute& value) { value = ImportRoute::kInside; }
  void Fill(XksOperation& value) { value = XksOperation::kDecrypt; }
  void Fill(XksOutcome& value) { value = XksOutcome::kMalformed; }
  void Fill(base::Secret& secret) {
    secret = base::Secret(37);
    base::RandomBytes(secret.Reveal());
  }
  void Fill(base::Bytes& bytes) {
    bytes.resize(53);
    base::RandomBytes(bytes);
  }
  void Fill(std::string& text) { text = "a label \xc3\xa9"; }
  template <typename T>
  void Fill(std::shared_ptr<const T>& message) {
    auto filled = std::make_shared<T>();
    Fill(*filled);
    message = std::move(filled);
  }
  template <typename T>
  void Fill(std::optional<T>& message) {
    Fill(message.emplace());
  }
  template <typename T>
  void Fill(std::vector<T>& list) {
    list.resize(3);
    for (T& item : list) {
      Fill(item);
    }
  }
};

template <typename Message>
base::WipingBytes FrameOf(const Message& message) {
  base::WipingBytes out;
  EXPECT_OK(AppendFrame(7, 9, message, out));
  return out;
}

template <typename Message>
base::Bytes PayloadOf(const Message& message) {
  const base::WipingBytes frame = FrameOf(message);
  return {frame.begin() + kFrameHeadSize, frame.end()};
}

template <typename Message>
class CodecTest : public testing::Test {
 protected:
  CodecTest() {
    Filler().Fill(message_);
    payload_ = PayloadOf(message_);
  }

  Message message_;
  base::Bytes payload_;
};

using Messages = testing::Types<
    GenerateKeyRequest, EncryptRequest, DecryptRequest, GenerateDataKeyRequest,
    ReEncryptRequest, RandomRequest, DestroyKeyRequest, EvictKeyRequest,
    CheckKeyRequest, HealthRequest, CapabilitiesRequest, ListKeysRequest,
    GenerateKeyReply, Sealed, PlaintextReply, GenerateDataKeyReply,
    Capabilities, ListKeysReply, EmptyReply, GenerateKeyPairRequest,
    GenerateKeyPairReply, SignRequest, SignReply, MacRequest, MacReply,
    AgreeRequest, RsaDecryptRequest, GenerateDataKeyPairRequest,
    GenerateDataKeyPairReply, ImportKeyRequest, ImportKeyReply,
    ImportRouteRequest, ImportRouteReply, GenerateWrappedKeyRequest,
    GenerateWrappedKeyReply, SealExternalRequest, SealExternalReply,
    OpenExternalRequest, XksRequest, XksReply, MakeTransportKeyRequest,
    MakeTransportKeyReply, ShareWrappingKeyRequest, ShareWrappingKeyReply,
    ReceiveWrappingKeyRequest, CheckPinRequest, CheckPinReply,
    KeepWrappedKeyRequest>;
TYPED_TEST_SUITE(CodecTest, Messages);

TYPED_TEST(CodecTest, WhatIsDecodedIsEncodedTheSame) {
  ASSERT_OK_AND_ASSIGN(const TypeParam decoded,
                       Decode<TypeParam>(this->payload_));
  EXPECT_EQ(PayloadOf(decoded), this->payload_);
}

TYPED_TEST(CodecTest, EveryTruncationIsRefused) {
  const base::ByteView whole(this->payload_);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    // A copy of just that size, so that a sanitizer sees a read past its end.
    const base::ByteView first = whole.first(size);
    const base::Bytes cut(first.begin(), first.end());
    EXPECT_THAT(Decode<TypeParam>(cut), StatusIs(ErrorCode::kCorrupt));
  }
}

TYPED_TEST(CodecTest, ATrailingByteIsRefused) {
  this->payload_.push_back(0);
  EXPECT_THAT(Decode<TypeParam>(this->payload_), StatusIs(ErrorCode::kCorrupt));
}

// Whatever still decodes has one spelling only.
TYPED_TEST(CodecTest, EveryFlippedBitIsSeenOrRefused) {
  for (std::size_t bit = 0; bit < this->payload_.size() * 8; ++bit) {
    base::Bytes flipped = this->payload_;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    if (const auto decoded = Decode<TypeParam>(flipped)) {
      EXPECT_EQ(PayloadOf(*decoded), flipped);
    } else {
      EXPECT_EQ(decoded.error().code, ErrorCode::kCorrupt);
    }
  }
}

TEST(Codec, HasTheBytesThatTheProtocolPageFreezes) {
  EncryptRequest request;
  request.key.locator.bytes.fill(0xa1);
  request.key.algorithm = Algorithm::kXaes256Gcm;
  request.counter = 2;
  request.aad.fill(0xb2);
  request.plaintext = base::Secret::CopyOf(std::string_view("hi"));
  base::WipingBytes out;
  ASSERT_OK(
      AppendFrame(0x01020304, RowOf<EncryptRequest>().number, request, out));
  std::string expected =
      "00000045"
      "01020304"
      "02";
  for (int i = 0; i < 16; ++i) {
    expected += "a1";
  }
  expected +=
      "01"
      "00"
      "0000000000000002";
  for (int i = 0; i < 32; ++i) {
    expected += "b2";
  }
  expected +=
      "00000002"
      "6869";
  EXPECT_EQ(base::HexEncode(out), expected);
}

// The page's table of algorithms, which the store keeps too.
TEST(Codec, TakesTheAlgorithmsOfTheProtocolPageAndNoOthers) {
  const std::set<int> known = {1,  2,  16, 17, 18, 19, 20, 21, 24, 25, 26, 27,
                               28, 32, 33, 34, 40, 41, 42, 43, 48, 49, 50, 56};
  base::Bytes payload = PayloadOf(CheckKeyRequest{});
  for (int value = 0; value < 256; ++value) {
    payload[16] = static_cast<std::uint8_t>(value);
    EXPECT_EQ(Decode<CheckKeyRequest>(payload).has_value(),
              known.contains(value))
        << value;
  }
}

TEST(Codec, TakesTheWrappingAlgorithmsAndRoutesOfTheProtocolPageAndNoOthers) {
  base::Bytes request = PayloadOf(ImportRouteRequest{});
  base::Bytes reply = PayloadOf(ImportRouteReply{});
  for (int value = 0; value < 256; ++value) {
    request.back() = reply.back() = static_cast<std::uint8_t>(value);
    EXPECT_EQ(Decode<ImportRouteRequest>(request).has_value(),
              value >= 1 && value <= 4)
        << value;
    EXPECT_EQ(Decode<ImportRouteReply>(reply).has_value(),
              value >= 1 && value <= 3)
        << value;
  }
}

TEST(Codec, TakesTheSchemesAndHashesOfTheProtocolPageAndNoOthers) {
  const base::Bytes payload = PayloadOf(SignRequest{});
  for (int value = 0; value < 256; ++value) {
    for (const std::size_t at : {18, 19}) {
      base::Bytes changed = payload;
      changed[at] = static_cast<std::uint8_t>(value);
      EXPECT_EQ(Decode<SignRequest>(changed).has_value(),
                value >= 1 && value <= 4)
          << value << " at " << at;
    }
  }
}

TEST(Codec, RefusesToEncodeWhatThePeerWouldRefuse) {
  base::WipingBytes out = {1, 2, 3};
  EncryptRequest request;
  request.plaintext = base::Secret(kMaxPlaintext);
  EXPECT_OK(AppendFrame(0, 2, request, out));
  out.resize(3);
  request.plaintext = base::Secret(kMaxPlaintext + 1);
  EXPECT_THAT(AppendFrame(0, 2, request, out),
              StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_EQ(out, (base::WipingBytes{1, 2, 3}));
}

TEST(Codec, AFieldOverItsBoundIsRefused) {
  PlaintextReply reply;
  reply.plaintext = base::Secret(kMaxPlaintext);
  base::Bytes payload = PayloadOf(reply);
  EXPECT_OK(Decode<PlaintextReply>(payload));
  payload[3] += 1;  // The length's last byte.
  payload.push_back(0);
  EXPECT_THAT(Decode<PlaintextReply>(payload), StatusIs(ErrorCode::kCorrupt));
}

TEST(Codec, ACountThatTheFrameCannotHoldTakesNoMemory) {
  const base::Bytes payload = {0xff, 0xff, 0xff, 0xff};
  EXPECT_THAT(Decode<ListKeysReply>(payload), StatusIs(ErrorCode::kCorrupt));
}

TEST(Codec, CutsForeignNamesInsteadOfFailing) {
  ListKeysReply reply;
  reply.keys.push_back({{}, std::string(kMaxText + 5, 'x')});
  ASSERT_OK_AND_ASSIGN(const ListKeysReply decoded,
                       Decode<ListKeysReply>(PayloadOf(reply)));
  EXPECT_EQ(decoded.keys.at(0).label, std::string(kMaxText, 'x'));
}

TEST(StatusCodes, EveryCodeHasItsOwnNumber) {
  for (int i = 0; i <= static_cast<int>(ErrorCode::kInternal); ++i) {
    const auto code = static_cast<ErrorCode>(i);
    EXPECT_NE(StatusNumber(code), kStatusOk);
    EXPECT_EQ(ErrorOfStatus(StatusNumber(code)), code);
  }
  EXPECT_EQ(ErrorOfStatus(kStatusOk), std::nullopt);
  EXPECT_EQ(ErrorOfStatus(255), std::nullopt);
}

// What is quick waits for itself and for nothing that is long.
TEST(Operations, AreScheduledByWhatTheyTake) {
  for (const auto& [algorithm, lane] :
       {std::pair{Algorithm::kP256Sign, Lane::kQuick},
        std::pair{Algorithm::kEd25519Sign, Lane::kQuick},
        std::pair{Algorithm::kP384Sign, Lane::kLong},
        std::pair{Algorithm::kRsa2048Sign, Lane::kLong}}) {
    SignRequest sign;
    sign.key.algorithm = algorithm;
    EXPECT_EQ(RowFor(sign).lane, lane);
  }
  for (const auto& [algorithm, lane] :
       {std::pair{Algorithm::kXaes256Gcm, Lane::kQuick},
        std::pair{Algorithm::kHmacSha512, Lane::kQuick},
        std::pair{Algorithm::kP256Agree, Lane::kQuick},
        std::pair{Algorithm::kP521Sign, Lane::kSlow},
        std::pair{Algorithm::kRsa4096Decrypt, Lane::kSlow}}) {
    GenerateWrappedKeyRequest generate;
    generate.key.algorithm = algorithm;
    EXPECT_EQ(RowFor(generate).lane, lane);
  }
}

// Only a search for primes may take minutes.
TEST(Operations, HaveTheDeadlineOfWhatTheyMake) {
  GenerateKeyRequest secret;
  EXPECT_EQ(RowFor(secret).deadline, std::chrono::seconds{30});
  for (const auto& [algorithm, seconds] :
       {std::pair{Algorithm::kP256Sign, 30},
        std::pair{Algorithm::kP521Agree, 30},
        std::pair{Algorithm::kEd25519Sign, 30},
        std::pair{Algorithm::kRsa2048Sign, 120},
        std::pair{Algorithm::kRsa4096Unwrap, 120}}) {
    const std::chrono::seconds deadline{seconds};
    GenerateKeyPairRequest pair;
    pair.key.algorithm = algorithm;
    EXPECT_EQ(RowFor(pair).deadline, deadline);
    EXPECT_EQ(RowFor(pair).lane, Lane::kSlow);
    GenerateDataKeyPairRequest data_pair;
    data_pair.pair = algorithm;
    EXPECT_EQ(RowFor(data_pair).deadline, deadline);
    GenerateWrappedKeyRequest wrapped;
    wrapped.key.algorithm = algorithm;
    EXPECT_EQ(RowFor(wrapped).deadline, deadline);
  }
}

TEST(Operations, AreFoundByTheirRequest) {
  EXPECT_EQ(RowOf<GenerateKeyRequest>().name, "GenerateKey");
  EXPECT_EQ(RowOf<ListKeysRequest>().number, 12);
  EXPECT_EQ(RowOf<ListKeysRequest>().max_reply, kMaxListing);
  EXPECT_TRUE((std::is_same_v<ReplyTo<ReEncryptRequest>, Sealed>));
}

}  // namespace
}  // namespace hsm
