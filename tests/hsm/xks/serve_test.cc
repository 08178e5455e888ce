// SPDX-License-Identifier: Apache-2.0
#include "hsm/xks/serve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <condition_variable>
#include <future>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "hsm/frame.h"
#include "hsm/socket.h"
#include "hsm/status_codes.h"
#include "tests/hsm/stream_frames.h"
#include "tests/hsm/xks/fixture.h"

namespace hsm::xks {
namespace {

using base::ErrorCode;
using hsm_test::Append;
using hsm_test::EncryptOf;
using hsm_test::Read;
using hsm_test::Reply;
using hsm_test::Write;
using testlib::Take;

// A worker's loop on a thread, the supervisor's end of its control socket, and
// a proxy that lets requests for the key "slow" wait until Release().
class XksServeTest : public hsm_test::XksTest {
 protected:
  XksServeTest() {
    StartProxy([this](const fakes::ProxyRequest& request) {
      if (request.path.find("/slow/") != std::string::npos) {
        std::unique_lock lock(mutex_);
        ++waiting_;
        changed_.notify_all();
        changed_.wait(lock, [this] { return released_; });
      }
      return fakes::Honest(request);
    });
    SocketPair pair = Take(MakeSocketPair(SOCK_SEQPACKET));
    control_ = std::move(pair.ours);
    transport();
    loop_ = std::async(std::launch::async,
                       [this, theirs = std::move(pair.theirs)]() mutable {
                         return Serve(*transport_, std::move(theirs));
                       });
  }
  ~XksServeTest() override {
    control_.Close();
    if (loop_.valid()) {
      loop_.wait();
    }
    Release();
    proxy_.reset();
  }

  Fd Connect() { return hsm_test::ConnectOver(control_); }

  static XksRequest Slow(const std::string& text) {
    XksRequest request = EncryptOf(text);
    request.external_key_id = "slow";
    return request;
  }
  void WaitForSlow(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ >= count; });
  }
  void Release() {
    {
      const std::lock_guard lock(mutex_);
      released_ = true;
    }
    changed_.notify_all();
  }

  static XksReply ReplyIn(const std::optional<Reply>& frame) {
    EXPECT_TRUE(frame.has_value());
    EXPECT_EQ(frame->status, kStatusOk);
    return Take(Decode<XksReply>(frame->payload));
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;        // Guarded by mutex_.
  bool released_ = false;  // Guarded by mutex_.
  Fd control_;
  std::future<WorkerExit> loop_;
};

TEST_F(XksServeTest, AnswersEachRequestInItsSlot) {
  const Fd socket = Connect();
  base::WipingBytes out;
  for (std::uint32_t i = 0; i < 50; ++i) {
    Append(out, 100 + i, EncryptOf(std::string(i, 'x')));
  }
  Write(socket, out);
  std::set<std::uint32_t> slots;
  for (int i = 0; i < 50; ++i) {
    const auto frame = Read(socket);
    const XksReply reply = ReplyIn(frame);
    EXPECT_EQ(reply.outcome, XksOutcome::kOk) << reply.message;
    EXPECT_EQ(reply.sealed.ciphertext.size(), frame->slot - 100);
    slots.insert(frame->slot);
  }
  EXPECT_EQ(slots.size(), 50U);
}

TEST_F(XksServeTest, RepliesWhenEachIsReady) {
  const Fd socket = Connect();
  base::WipingBytes out;
  Append(out, 1, Slow("a"));
  Append(out, 2, Slow("b"));
  Append(out, 3, EncryptOf("c"));
  Append(out, 4, HealthRequest{});
  Write(socket, out);
  std::set<std::uint32_t> first;
  for (int i = 0; i < 2; ++i) {
    first.insert(Read(socket)->slot);
  }
  EXPECT_EQ(first, (std::set<std::uint32_t>{3, 4}));
  Release();
  std::set<std::uint32_t> second;
  for (int i = 0; i < 2; ++i) {
    const auto frame = Read(socket);
    EXPECT_EQ(ReplyIn(frame).outcome, XksOutcome::kOk);
    second.insert(frame->slot);
  }
  EXPECT_EQ(second, (std::set<std::uint32_t>{1, 2}));
}

TEST_F(XksServeTest, HasNoTokenForAnythingElse) {
  const Fd socket = Connect();
  base::WipingBytes out;
  Append(out, 1, GenerateKeyRequest{});
  Append(out, 2, EncryptRequest{});
  Append(out, 3, CapabilitiesRequest{});
  Append(out, 4, ListKeysRequest{});
  Append(out, 5, SealExternalRequest{});
  Append(out, 6, EvictKeyRequest{});
  Append(out, 7, HealthRequest{});
  Write(socket, out);
  for (std::uint32_t slot = 1; slot <= 6; ++slot) {
    const auto reply = Read(socket);
    ASSERT_TRUE(reply.has_value());
    EXPECT_EQ(reply->slot, slot);
    EXPECT_EQ(reply->status, StatusNumber(ErrorCode::kUnsupportedOperation));
  }
  EXPECT_EQ(Read(socket)->status, kStatusOk);
}

TEST_F(XksServeTest, RefusesARequestThatNamesNoProxy) {
  const Fd socket = Connect();
  base::WipingBytes out;
  Append(out, 1, XksRequest{});
  Write(socket, out);
  const auto reply = Read(socket);
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->status, StatusNumber(ErrorCode::kInvalidArgument));
}

TEST_F(XksServeTest, EndsAConnectionThatBreaksTheProtocol) {
  for (const base::Bytes& bytes : std::vector<base::Bytes>{
           {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 24},  // Too long.
           {0, 0, 0, 4, 0, 0, 0, 1, 24},              // Too short.
           {0, 0, 0, 5, 0, 0, 0, 1, 0},               // Operation 0.
           {0, 0, 0, 5, 0, 0, 0, 1, 255},             // No such operation.
           {0, 0, 0, 5, 0, 0, 0, 1, 24},              // No fields.
           {0, 0, 0, 6, 0, 0, 0, 1, 10, 0}}) {        // A byte is left.
    const Fd socket = Connect();
    Write(socket, bytes);
    EXPECT_FALSE(Read(socket).has_value()) << base::HexEncode(bytes);
  }
  const Fd socket = Connect();
  base::WipingBytes out;
  Append(out, 1, HealthRequest{});
  Write(socket, out);
  EXPECT_TRUE(Read(socket).has_value());
}

TEST_F(XksServeTest, ForgetsAClientThatHasGone) {
  {
    const Fd gone = Connect();
    base::WipingBytes out;
    Append(out, 1, Slow("a"));
    Append(out, 2, Slow("b"));
    Write(gone, out);
    WaitForSlow(2);
  }
  const Fd socket = Connect();
  base::WipingBytes out;
  Append(out, 3, HealthRequest{});
  Write(socket, out);
  EXPECT_EQ(Read(socket)->slot, 3U);
  Release();
  // What was the other's comes to nobody.
  out.clear();
  Append(out, 4, EncryptOf("c"));
  Write(socket, out);
  const auto frame = Read(socket);
  EXPECT_EQ(frame->slot, 4U);
  EXPECT_EQ(ReplyIn(frame).outcome, XksOutcome::kOk);
}

TEST_F(XksServeTest, WaitsForAPeerThatDoesNotRead) {
  const Fd slow = Connect();
  base::WipingBytes out;
  for (std::uint32_t i = 0; i < 200; ++i) {
    Append(out, i, EncryptOf(std::string(8000, 'x')));
  }
  // More than the socket holds: the rest is sent while the replies come.
  std::future<void> sending =
      std::async(std::launch::async, [&slow, &out] { Write(slow, out); });
  const Fd other = Connect();
  base::WipingBytes health;
  Append(health, 7, HealthRequest{});
  Write(other, health);
  EXPECT_EQ(Read(other)->slot, 7U);
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(ReplyIn(Read(slow)).outcome, XksOutcome::kOk);
  }
  sending.get();
}

TEST_F(XksServeTest, EndsWithTheControlSocketWhateverIsInFlight) {
  const Fd socket = Connect();
  base::WipingBytes out;
  Append(out, 1, Slow("a"));
  Write(socket, out);
  WaitForSlow(1);
  control_.Close();
  EXPECT_EQ(loop_.get(), WorkerExit::kStopped);
  EXPECT_FALSE(Read(socket).has_value());
}

}  // namespace
}  // namespace hsm::xks
