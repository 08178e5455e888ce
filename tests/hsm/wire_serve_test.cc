// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <string>
#include <vector>

#include "hsm/frame.h"
#include "hsm/serve.h"
#include "hsm/socket.h"
#include "hsm/status_codes.h"
#include "tests/hsm/memory_token.h"
#include "tests/hsm/stream_frames.h"
#include "tests/testlib/status.h"

namespace hsm {
namespace {

using base::ErrorCode;
using hsm_test::Append;
using hsm_test::EncryptOf;
using hsm_test::MemoryToken;
using hsm_test::Read;
using hsm_test::Write;

// A worker's loop on a thread, and the supervisor's end of its control socket.
class ServeTest : public testing::Test {
 protected:
  ServeTest() : token_(testlib::Take(MemoryToken::Open(shared_))) {
    SocketPair pair = testlib::Take(MakeSocketPair(SOCK_SEQPACKET));
    control_ = std::move(pair.ours);
    loop_ = std::async(std::launch::async,
                       [this, theirs = std::move(pair.theirs)]() mutable {
                         return Serve(*token_, std::move(theirs));
                       });
  }

  ~ServeTest() override { control_.Close(); }

  Fd Connect() { return hsm_test::ConnectOver(control_); }

  hsm_test::Shared* const shared_ = hsm_test::Shared::Make();
  std::unique_ptr<token::Token> token_;
  Fd control_;
  std::future<WorkerExit> loop_;
};

TEST_F(ServeTest, AnswersEachRequestInItsSlot) {
  const Fd socket = Connect();
  base::WipingBytes out;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    Append(out, 5000 - i, EncryptOf(std::to_string(i)));
  }
  Write(socket, out);
  for (std::uint32_t i = 0; i < 1000; ++i) {
    const auto reply = Read(socket);
    ASSERT_TRUE(reply.has_value());
    EXPECT_EQ(reply->slot, 5000 - i);
    EXPECT_EQ(reply->status, kStatusOk);
    ASSERT_OK_AND_ASSIGN(const Sealed sealed, Decode<Sealed>(reply->payload));
    EXPECT_EQ(sealed.ciphertext,
              hsm_test::Flipped(base::AsBytes(std::to_string(i))));
  }
}

TEST_F(ServeTest, AnswersEveryOperation) {
  const Fd socket = Connect();
  base::WipingBytes out;
  Append(out, 1, GenerateKeyRequest{});
  Append(out, 2, EncryptOf("x"));
  Append(out, 3, DecryptRequest{.sealed = {{}, hsm_test::Flipped({})}});
  Append(out, 4, GenerateDataKeyRequest{.size = 32});
  Append(out, 5, ReEncryptRequest{});
  Append(out, 6, RandomRequest{16});
  Append(out, 7, DestroyKeyRequest{});
  Append(out, 8, EvictKeyRequest{});
  Append(out, 9, CheckKeyRequest{});
  Append(out, 10, HealthRequest{});
  Append(out, 11, CapabilitiesRequest{});
  Append(out, 12, ListKeysRequest{});
  Append(out, 13, GenerateKeyPairRequest{});
  Append(out, 14, SignRequest{});
  Append(out, 15, MacRequest{});
  Append(out, 16, AgreeRequest{});
  Append(out, 17, RsaDecryptRequest{});
  Append(out, 18, GenerateDataKeyPairRequest{});
  Append(out, 19, ImportKeyRequest{});
  Append(out, 20, ImportRouteRequest{});
  Append(out, 21, GenerateWrappedKeyRequest{});
  Append(out, 22, SealExternalRequest{});
  Append(out, 23, OpenExternalRequest{});
  Append(out, 24, XksRequest{});
  Append(out, 25, MakeTransportKeyRequest{});
  Append(out, 26, ShareWrappingKeyRequest{});
  Append(out, 27, ReceiveWrappingKeyRequest{});
  Append(out, 28, CheckPinRequest{});
  Append(out, 29, KeepWrappedKeyRequest{});
  Write(socket, out);
  for (std::uint32_t slot = 1; slot <= kOperationCount; ++slot) {
    const auto reply = Read(socket);
    ASSERT_TRUE(reply.has_value());
    EXPECT_EQ(reply->slot, slot);
    // The MemoryToken has nothing to destroy, and no key pairs.
    EXPECT_EQ(reply->status,
              slot == 7   ? StatusNumber(ErrorCode::kNotFound)
              : slot > 12 ? StatusNumber(ErrorCode::kUnsupportedOperation)
                          : kStatusOk)
        << slot;
    if (slot == 12) {
      ASSERT_OK_AND_ASSIGN(const ListKeysReply listed,
                           Decode<ListKeysReply>(reply->payload));
      EXPECT_EQ(listed.keys.size(), hsm_test::kListedKeys);
    }
  }
}

TEST_F(ServeTest, WaitsForAPeerThatDoesNotRead) {
  const Fd slow = Connect();
  base::WipingBytes out;
  for (std::uint32_t i = 0; i < 40; ++i) {
    Append(out, i, ListKeysRequest{});  // Some 150 KiB each.
  }
  Write(slow, out);
  // Meanwhile others are served.
  const Fd other = Connect();
  out.clear();
  Append(out, 77, HealthRequest{});
  Write(other, out);
  const auto reply = Read(other);
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->slot, 77U);
  for (std::uint32_t i = 0; i < 40; ++i) {
    const auto late = Read(slow);
    ASSERT_TRUE(late.has_value());
    EXPECT_EQ(late->slot, i);
  }
}

TEST_F(ServeTest, EndsAConnectionThatBreaksTheProtocol) {
  base::WipingBytes good;
  Append(good, 1, RandomRequest{16});
  const std::vector<base::Bytes> bad = {
      {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 6},  // Too long.
      {0, 1, 0, 1, 0, 0, 0, 1, 6},              // Just too long.
      {0, 0, 0, 4, 0, 0, 0, 1, 6},              // Too short.
      {0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 16},       // Operation 0.
      {0, 0, 0, 7, 0, 0, 0, 1, 13, 0, 16},      // No such operation.
      {0, 0, 0, 7, 0, 0, 0, 1, 255, 0, 16},     // No such operation.
      {0, 0, 0, 6, 0, 0, 0, 1, 6, 0},           // A field is cut.
      {0, 0, 0, 8, 0, 0, 0, 1, 6, 0, 16, 0},    // A byte is left.
  };
  for (const base::Bytes& bytes : bad) {
    const Fd socket = Connect();
    Write(socket, good);
    ASSERT_TRUE(Read(socket).has_value());
    Write(socket, bytes);
    EXPECT_FALSE(Read(socket).has_value()) << base::HexEncode(bytes);
  }
  // And only that connection.
  const Fd socket = Connect();
  Write(socket, good);
  EXPECT_TRUE(Read(socket).has_value());
}

TEST_F(ServeTest, ServesManyConnectionsUpToABound) {
  std::vector<Fd> sockets;
  base::WipingBytes out;
  Append(out, 1, HealthRequest{});
  sockets.reserve(256);
  for (int i = 0; i < 256; ++i) {
    sockets.push_back(Connect());
  }
  for (const Fd& socket : sockets) {
    Write(socket, out);
    EXPECT_TRUE(Read(socket).has_value());
  }
  const Fd surplus = Connect();
  EXPECT_FALSE(Read(surplus).has_value());
  sockets.pop_back();
  EXPECT_TRUE(Read((Write(sockets.front(), out), sockets.front())));
}

// Else a killed clavigerd's key could appear after its successor has settled
// what was left unfinished.
TEST_F(ServeTest, DoesNothingForAPeerThatHasGone) {
  SocketPair pair = testlib::Take(MakeSocketPair(SOCK_STREAM));
  base::WipingBytes asked;
  Append(asked, 1, GenerateKeyRequest{});
  Write(pair.ours, asked);
  pair.ours.Close();
  const base::Bytes hello = {1};
  testlib::Take(SendPacket(control_.get(), hello, pair.theirs.get()));

  const Fd socket = Connect();
  for (std::uint32_t slot = 1; slot <= 2; ++slot) {
    base::WipingBytes out;
    Append(out, slot, HealthRequest{});
    Write(socket, out);
    ASSERT_TRUE(Read(socket).has_value());
  }
  EXPECT_EQ(shared_->executed, 0);  // Health is not counted.
}

TEST_F(ServeTest, EndsWhenTheTokenIsGoneAfterSayingSo) {
  const Fd socket = Connect();
  base::WipingBytes out;
  Append(out, 1, HealthRequest{});
  Append(out, 2, EncryptOf(hsm_test::kTokenGone));
  Append(out, 3, HealthRequest{});
  Write(socket, out);
  EXPECT_EQ(Read(socket)->status, kStatusOk);
  const auto reply = Read(socket);
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->slot, 2U);
  EXPECT_EQ(reply->status, StatusNumber(ErrorCode::kHsmUnavailable));
  EXPECT_FALSE(Read(socket).has_value());
  EXPECT_EQ(loop_.get(), WorkerExit::kTokenGone);
}

TEST_F(ServeTest, EndsWithTheControlSocket) {
  const Fd socket = Connect();
  control_.Close();
  EXPECT_EQ(loop_.get(), WorkerExit::kStopped);
  EXPECT_FALSE(Read(socket).has_value());
}

}  // namespace
}  // namespace hsm
