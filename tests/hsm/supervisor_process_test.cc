// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <optional>

#include "hsm/socket.h"
#include "hsm/supervisor_protocol.h"
#include "tests/hsm/supervised.h"
#include "tests/testlib/status.h"

namespace hsm_test {
namespace {

using base::ErrorCode;
using hsm::Generation;
using hsm::SupervisorReply;
using hsm::SupervisorRequest;
using testing::HasSubstr;
using testlib::IsOk;
using testlib::StatusIs;

class SupervisorTest : public testing::Test {
 protected:
  struct Answer {
    SupervisorReply reply;
    hsm::Fd fd;
  };

  // The next message, or nothing at the end of the connection.
  static std::optional<hsm::Packet> Receive(const hsm::Fd& socket) {
    pollfd readable = {socket.get(), POLLIN, 0};
    poll(&readable, 1, -1);
    auto packet = hsm::ReceivePacket(socket.get());
    return packet && !packet->bytes.empty() ? std::optional(*std::move(packet))
                                            : std::nullopt;
  }

  Answer Ask(SupervisorRequest request) {
    const hsm::Fd socket =
        testlib::Take(hsm::ConnectTo(supervised_.socket_path()));
    testlib::Take(hsm::SendPacket(socket.get(), hsm::EncodeRequest(request)));
    auto packet = Receive(socket);
    if (!packet) {
      return {{0, base::Error{ErrorCode::kIo, "no answer"}}, hsm::Fd()};
    }
    return {testlib::Take(hsm::DecodeReply(packet->bytes)),
            std::move(packet->fd)};
  }
  Answer Connect(std::uint32_t worker) {
    return Ask({SupervisorRequest::Kind::kConnect, worker});
  }
  Answer Replace(std::uint32_t worker, Generation generation) {
    return Ask({SupervisorRequest::Kind::kReplace, worker, generation});
  }

  static bool HasEnded(const hsm::Fd& socket) {
    std::uint8_t byte = 0;
    return recv(socket.get(), &byte, 1, 0) <= 0;
  }

  Shared& shared() { return supervised_.shared(); }
  void OpensFailWith(ErrorCode code) {
    shared().open_error = static_cast<int>(code);
  }

  Supervised supervised_;
};

TEST_F(SupervisorTest, ConnectsToEachWorker) {
  supervised_.Start();
  for (std::uint32_t worker = 0; worker < 2; ++worker) {
    const Answer answer = Connect(worker);
    EXPECT_OK(answer.reply.status);
    EXPECT_TRUE(answer.fd.valid());
    EXPECT_NE(answer.reply.generation, hsm::kWhicheverServes);
  }
  EXPECT_THAT(Connect(2).reply.status,
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("2 workers")));
}

TEST_F(SupervisorTest, ReplacesAWorkerOnceOnly) {
  supervised_.Start();
  const Answer first = Connect(0);
  EXPECT_OK(Replace(0, first.reply.generation).reply.status);
  EXPECT_TRUE(HasEnded(first.fd));  // It is dead when the answer comes.
  const Answer second = Connect(0);
  ASSERT_OK(second.reply.status);
  EXPECT_NE(second.reply.generation, first.reply.generation);
  // Somebody who still speaks of the first one does no harm to the second.
  EXPECT_OK(Replace(0, first.reply.generation).reply.status);
  EXPECT_EQ(Connect(0).reply.generation, second.reply.generation);
  EXPECT_EQ(shared().opens, 3);
}

TEST_F(SupervisorTest, ReplacesWhicheverServes) {
  supervised_.Start();
  const Answer first = Connect(1);
  EXPECT_OK(Replace(1, hsm::kWhicheverServes).reply.status);
  EXPECT_TRUE(HasEnded(first.fd));
  EXPECT_NE(Connect(1).reply.generation, first.reply.generation);
}

TEST_F(SupervisorTest, DoesNotTryARefusedPinAgain) {
  OpensFailWith(ErrorCode::kAccessDenied);
  supervised_.Start();
  EXPECT_THAT(Connect(0).reply.status,
              StatusIs(ErrorCode::kAccessDenied, "no token today"));
  EXPECT_THAT(Connect(1).reply.status,
              StatusIs(ErrorCode::kAccessDenied, "no token today"));
  EXPECT_EQ(shared().opens, 1);  // The other worker did not even try.
  // The operator corrects the PIN and says so.
  shared().open_error = -1;
  kill(supervised_.pid(), SIGHUP);
  EXPECT_TRUE(Eventually([&] { return shared().opens == 3; }));
  EXPECT_OK(Connect(0).reply.status);
  EXPECT_OK(Connect(1).reply.status);
}

TEST_F(SupervisorTest, ARefusalStopsTheReplacementOfWorkersThatDie) {
  supervised_.Start();
  const Answer healthy = Connect(1);
  ASSERT_OK(Connect(0).reply.status);
  OpensFailWith(ErrorCode::kAccessDenied);
  EXPECT_OK(Replace(0, hsm::kWhicheverServes).reply.status);
  EXPECT_THAT(Connect(0).reply.status, StatusIs(ErrorCode::kAccessDenied));
  EXPECT_OK(Replace(1, hsm::kWhicheverServes).reply.status);
  EXPECT_THAT(Connect(1).reply.status, StatusIs(ErrorCode::kAccessDenied));
  EXPECT_EQ(shared().opens, 3);
}

// It may have been corrected wrongly; a token takes few wrong PINs.
TEST_F(SupervisorTest, AfterSighupOneWorkerTriesThePinFirst) {
  supervised_.Start();
  EXPECT_OK(Connect(0).reply.status);
  EXPECT_OK(Connect(1).reply.status);
  OpensFailWith(ErrorCode::kAccessDenied);
  EXPECT_OK(Replace(0, hsm::kWhicheverServes).reply.status);
  EXPECT_THAT(Connect(0).reply.status, StatusIs(ErrorCode::kAccessDenied));
  EXPECT_OK(Replace(1, hsm::kWhicheverServes).reply.status);
  EXPECT_EQ(shared().opens, 3);
  kill(supervised_.pid(), SIGHUP);
  EXPECT_TRUE(Eventually([&] { return shared().opens == 4; }));
  EXPECT_THAT(Connect(0).reply.status, StatusIs(ErrorCode::kAccessDenied));
  EXPECT_THAT(Connect(1).reply.status, StatusIs(ErrorCode::kAccessDenied));
  EXPECT_EQ(shared().opens, 4);
}

// All workers of a token that was unplugged end at once. When it is back it may
// be another one, with another PIN.
TEST_F(SupervisorTest, OfWorkersThatEndTogetherOneTriesThePinFirst) {
  supervised_.Start();
  EXPECT_OK(Connect(0).reply.status);
  EXPECT_OK(Connect(1).reply.status);
  shared().open_error = static_cast<int>(ErrorCode::kAccessDenied);
  const hsm::Fd both[] = {
      testlib::Take(hsm::ConnectTo(supervised_.socket_path())),
      testlib::Take(hsm::ConnectTo(supervised_.socket_path()))};
  for (std::uint32_t worker = 0; worker < 2; ++worker) {
    testlib::Take(hsm::SendPacket(
        both[worker].get(),
        hsm::EncodeRequest({SupervisorRequest::Kind::kReplace, worker})));
  }
  for (const hsm::Fd& socket : both) {
    EXPECT_TRUE(Receive(socket).has_value());
  }
  EXPECT_THAT(Connect(0).reply.status, StatusIs(ErrorCode::kAccessDenied));
  EXPECT_THAT(Connect(1).reply.status, StatusIs(ErrorCode::kAccessDenied));
  EXPECT_EQ(shared().opens, 3);
}

TEST_F(SupervisorTest, TriesAgainWhatMayPass) {
  OpensFailWith(ErrorCode::kHsmUnavailable);
  supervised_.Start();
  EXPECT_THAT(Connect(0).reply.status,
              StatusIs(ErrorCode::kHsmUnavailable, "no token today"));
  EXPECT_TRUE(Eventually([&] { return shared().opens >= 3; }));
  shared().open_error = -1;
  EXPECT_TRUE(Eventually([&] { return Connect(0).reply.status.has_value(); }));
}

TEST_F(SupervisorTest, TriesAgainAfterACrashInTheModule) {
  shared().crash_at_open = 2;
  supervised_.Start();
  EXPECT_THAT(Connect(0).reply.status,
              StatusIs(ErrorCode::kHsmUnavailable, HasSubstr("signal 9")));
  EXPECT_TRUE(Eventually([&] { return Connect(0).reply.status.has_value(); }));
  EXPECT_TRUE(Eventually([&] { return Connect(1).reply.status.has_value(); }));
}

TEST_F(SupervisorTest, KillsAWorkerThatDoesNotGetReady) {
  supervised_.options().open_deadline = std::chrono::milliseconds{50};
  supervised_.options().prepare = hsm::OnToken([shared = &shared()] {
    if (++shared->opens == 1) {
      while (true) {
        pause();
      }
    }
    return MemoryToken::Open(shared);
  });
  supervised_.Start();
  EXPECT_THAT(Connect(0).reply.status, StatusIs(ErrorCode::kTimeout));
}

TEST_F(SupervisorTest, RefusesOtherUsers) {
  supervised_.options().allowed_uids = {geteuid() + 1};
  supervised_.Start();
  const hsm::Fd socket =
      testlib::Take(hsm::ConnectTo(supervised_.socket_path()));
  const auto packet = Receive(socket);
  ASSERT_TRUE(packet.has_value());
  EXPECT_FALSE(packet->fd.valid());
  EXPECT_THAT(testlib::Take(hsm::DecodeReply(packet->bytes)).status,
              StatusIs(ErrorCode::kAccessDenied, HasSubstr("allowed_user")));
  EXPECT_FALSE(Receive(socket).has_value());
}

TEST_F(SupervisorTest, EndsAConnectionThatBreaksTheProtocol) {
  supervised_.Start();
  const base::Bytes good = hsm::EncodeRequest({});
  std::vector<base::Bytes> bad = {{1}, base::Bytes(3000, 1)};
  for (std::size_t i = 0; i < 2; ++i) {  // Version and kind.
    bad.push_back(good);
    bad.back()[i] = 99;
  }
  bad.emplace_back(good.begin(), good.end() - 1);
  bad.push_back(good);
  bad.back().push_back(0);
  for (const base::Bytes& bytes : bad) {
    const hsm::Fd socket =
        testlib::Take(hsm::ConnectTo(supervised_.socket_path()));
    testlib::Take(hsm::SendPacket(socket.get(), bytes));
    if (const auto packet = Receive(socket)) {
      EXPECT_FALSE(packet->fd.valid());
      EXPECT_THAT(testlib::Take(hsm::DecodeReply(packet->bytes)).status,
                  StatusIs(ErrorCode::kCorrupt));
      EXPECT_FALSE(Receive(socket).has_value());
    }
  }
  EXPECT_OK(Connect(0).reply.status);
}

TEST_F(SupervisorTest, StopsCleanlyAndRemovesItsSocket) {
  supervised_.Start();
  const Answer worker = Connect(0);
  EXPECT_EQ(supervised_.Stop(), 0);
  EXPECT_TRUE(HasEnded(worker.fd));
  EXPECT_NE(access(supervised_.socket_path().c_str(), F_OK), 0);
}

// Who was started again, when it had been taken for dead.
TEST_F(SupervisorTest, LeavesTheSocketOfAnotherAlone) {
  supervised_.Start();
  ASSERT_EQ(unlink(supervised_.socket_path().c_str()), 0);
  const hsm::Fd other = testlib::Take(hsm::ListenAt(supervised_.socket_path()));
  EXPECT_EQ(supervised_.Stop(), 0);
  EXPECT_OK(hsm::ConnectTo(supervised_.socket_path()));
}

TEST_F(SupervisorTest, DoesNotWaitForHungWorkersWhenItsParentIsGone) {
  supervised_.options().stop_patience = std::chrono::minutes{10};
  supervised_.options().orphan_patience = std::chrono::milliseconds{50};
  supervised_.options().prepare = [] {
    return hsm::ServeFn([](const hsm::Fd&) -> hsm::WorkerExit {
      while (true) {
        pause();
      }
    });
  };
  supervised_.set_death_signal(SIGTERM);
  auto ready = testlib::Take(hsm::MakeSocketPair(SOCK_STREAM));
  const pid_t parent = fork();
  if (parent == 0) {
    supervised_.Start();
    _exit(write(ready.theirs.get(), "x", 1) == 1 && pause() == 0 ? 0 : 1);
  }
  char byte = 0;
  ASSERT_EQ(read(ready.ours.get(), &byte, 1), 1);
  for (std::uint32_t worker = 0; worker < 2; ++worker) {
    ASSERT_OK(Connect(worker).reply.status);
  }
  kill(parent, SIGKILL);
  ASSERT_EQ(waitpid(parent, nullptr, 0), parent);
  EXPECT_TRUE(Eventually(
      [&] { return access(supervised_.socket_path().c_str(), F_OK) != 0; }));
}

TEST_F(SupervisorTest, WorkersDieWithTheSupervisor) {
  supervised_.Start();
  const Answer idle = Connect(0);
  ASSERT_OK(idle.reply.status);
  supervised_.Kill();
  EXPECT_TRUE(HasEnded(idle.fd));
  // A dead supervisor's socket file is no obstacle.
  supervised_.Start();
  EXPECT_OK(Connect(0).reply.status);
}

// As a worker does that was forked in the moment of the kill.
TEST_F(SupervisorTest, WaitsForWhoStillHoldsADeadSupervisorsSocket) {
  auto ready = testlib::Take(hsm::MakeSocketPair(SOCK_STREAM));
  const pid_t holder = fork();
  if (holder == 0) {
    const auto held = hsm::ListenAt(supervised_.socket_path());
    const bool told = write(ready.theirs.get(), "x", 1) == 1;
    // Until the next supervisor has asked whether the socket is served.
    pollfd asked = {held ? held->get() : -1, POLLIN, 0};
    _exit(told && poll(&asked, 1, -1) == 1 ? 0 : 1);
  }
  char byte = 0;
  ASSERT_EQ(read(ready.ours.get(), &byte, 1), 1);
  supervised_.Start();
  EXPECT_OK(Connect(0).reply.status);
  int status = -1;
  ASSERT_EQ(waitpid(holder, &status, 0), holder);
  EXPECT_EQ(status, 0);
}

TEST_F(SupervisorTest, RefusesASocketThatIsServedOrNotASocket) {
  supervised_.Start();
  EXPECT_THAT(hsm::ListenAt(supervised_.socket_path()),
              StatusIs(ErrorCode::kBusy, HasSubstr("already")));
  // One that is too busy to accept anybody serves it, too.
  const testlib::TempDir directory;
  const std::string busy = directory / "busy";
  const hsm::Fd listener = testlib::Take(hsm::ListenAt(busy));
  std::vector<hsm::Fd> queue;
  auto next = hsm::ConnectTo(busy);
  for (; next && queue.size() < 1000; next = hsm::ConnectTo(busy)) {
    queue.push_back(*std::move(next));
  }
  EXPECT_THAT(next, StatusIs(ErrorCode::kBusy));
  EXPECT_THAT(hsm::ListenAt(busy), StatusIs(ErrorCode::kBusy));
  const std::string file = directory / "file";
  std::ofstream(file) << "precious";
  EXPECT_THAT(hsm::ListenAt(file), StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_EQ(access(file.c_str(), F_OK), 0);
  EXPECT_THAT(hsm::ListenAt(std::string(200, 'x')),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("shorter")));
}

TEST(SupervisorProtocol, RefusesEveryTruncation) {
  const base::Bytes request =
      hsm::EncodeRequest({SupervisorRequest::Kind::kReplace, 3, 77});
  const auto decoded = hsm::DecodeRequest(request);
  ASSERT_THAT(decoded, IsOk());
  EXPECT_EQ(decoded->worker, 3U);
  EXPECT_EQ(decoded->generation, 77U);
  const base::Bytes reply = hsm::EncodeReply(
      {77, base::Error{ErrorCode::kAccessDenied, "the PIN is wrong"}});
  ASSERT_OK_AND_ASSIGN(const SupervisorReply back, hsm::DecodeReply(reply));
  EXPECT_EQ(back.generation, 77U);
  EXPECT_THAT(back.status,
              StatusIs(ErrorCode::kAccessDenied, "the PIN is wrong"));
  for (std::size_t size = 0; size < request.size(); ++size) {
    EXPECT_FALSE(hsm::DecodeRequest(base::ByteView(request).first(size)));
  }
  for (std::size_t size = 0; size < reply.size(); ++size) {
    EXPECT_FALSE(hsm::DecodeReply(base::ByteView(reply).first(size)));
  }
}

}  // namespace
}  // namespace hsm_test
