// SPDX-License-Identifier: Apache-2.0
// A process forks while its client is at work. Children end with _exit: what
// they find is their status.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/crypto.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "kms/client/client.h"
#include "tests/kms/client_certificates.h"
#include "tests/kms/client_server.h"
#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"

namespace kms::client {
namespace {

using base::ErrorCode;
using testlib::StatusIs;
using testlib::Take;

// The status of a child that does `work`; -1 if it did not end by itself, as
// one that waits for a lock that nobody will release.
int InChild(const std::function<bool()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    _exit(work() ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int CountSockets() {
  int count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/self/fd")) {
    struct stat found {};
    count += stat(entry.path().c_str(), &found) == 0 && S_ISSOCK(found.st_mode);
  }
  return count;
}

bool Says(Client& client, const std::string& text) {
  const auto response = client.Call("CreateKey", text);
  return response.has_value() && std::string_view(response->body) == text;
}

// Over a Unix socket and over TLS.
class ClientForkTest : public testing::TestWithParam<Transport> {
 protected:
  ClientForkTest() : authority_({.name = "ca", .is_authority = true}) {
    authority_.WriteCertificate(Path("ca.pem"));
    const Certificate certificate(
        {.name = "server", .alternative_names = "IP:127.0.0.1"}, &authority_);
    certificate.WriteCertificate(Path("cert.pem"));
    certificate.WriteKey(Path("key.pem"));
  }

  // The allocator of g++ 12's address sanitizer does not take its locks for a
  // fork: a child waits for ever for one that a thread of the server held.
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__)
    GTEST_SKIP() << "the sanitizer's allocator may deadlock in a child";
#endif
  }

  std::string Path(std::string_view name) const {
    return (folder_ / name).string();
  }

  std::unique_ptr<ScriptedServer> Serve(ScriptedServer::Script script) {
    ScriptedServer::Always always{std::move(script)};
    return GetParam() == Transport::kUnix
               ? std::make_unique<ScriptedServer>(Path("s"), std::move(always))
               : std::make_unique<ScriptedServer>(
                     Path("cert.pem"), Path("key.pem"), std::move(always));
  }

  std::unique_ptr<Client> ClientOf(const ScriptedServer& server) {
    Options options;
    options.endpoint = server.endpoint();
    if (GetParam() == Transport::kHttps) {
      options.ca_file = Path("ca.pem");
      options.credentials.emplace(
          base::SigV4Credentials{"AKID", base::Secret::CopyOf("s"), ""});
    }
    return Take(Client::Create(std::move(options), clock_));
  }

  testlib::TempDir folder_;
  base::RealClock clock_;
  Certificate authority_;
};

TEST_P(ClientForkTest, ParentAndChildGoOn) {
  const auto server = Serve(Echo);
  const auto client = ClientOf(*server);
  ASSERT_TRUE(Says(*client, "before"));
  EXPECT_EQ(InChild([&] {
              return Says(*client, "child") && Says(*client, "again") &&
                     InChild([&] { return Says(*client, "grandchild"); }) == 0;
            }),
            0);
  EXPECT_TRUE(Says(*client, "after"));
  // Of the parent, the child and the grandchild.
  EXPECT_EQ(server->connections(), 3);
}

// Answers "wait" when told to, and everything else at once.
class Waiting {
 public:
  void operator()(Peer& peer) {
    for (;;) {
      const std::string request = peer.ReadRequest();
      if (request.empty()) {
        return;
      }
      if (BodyOf(request) == "wait") {
        arrived.count_down();
        go.wait();
      }
      peer.Send(Reply(BodyOf(request)));
    }
  }
  std::latch arrived{1};
  std::latch go{1};
};

TEST_P(ClientForkTest, AChildCallsWhileAnotherThreadOfItsParentIsMidCall) {
  Waiting waiting;
  const auto server = Serve(std::ref(waiting));
  const auto client = ClientOf(*server);
  ASSERT_TRUE(Says(*client, "before"));
  std::atomic<bool> good = false;
  std::thread other([&] { good = Says(*client, "wait"); });
  waiting.arrived.wait();
  ASSERT_TRUE(Says(*client, "beside"));  // Now one connection is idle.
  EXPECT_EQ(InChild([&] {
              const int before = CountSockets();
              client->AfterForkInChild();
              // The one in use and the idle one.
              const bool closed = CountSockets() == before - 2;
              client->AfterForkInChild();  // Finds nothing any more.
              return closed && Says(*client, "child");
            }),
            0);
  EXPECT_EQ(InChild([&] {
              const int before = CountSockets();
              // The first call does the same by itself, and adds its own.
              return Says(*client, "child") && CountSockets() == before - 1;
            }),
            0);
  waiting.go.count_down();
  other.join();
  EXPECT_TRUE(good);  // No child has written into the parent's streams.
  EXPECT_TRUE(Says(*client, "after"));
  EXPECT_EQ(server->connections(), 4);
}

// As in a child that has got the pid of an ancestor.
TEST_P(ClientForkTest, APidThatComesAgainIsAnotherProcess) {
  const auto server = Serve(Echo);
  const auto client = ClientOf(*server);
  ASSERT_TRUE(Says(*client, "before"));
  client->AfterForkInChild();
  EXPECT_TRUE(Says(*client, "after"));
  EXPECT_EQ(server->connections(), 2);
}

TEST_P(ClientForkTest, AConnectionIsNeverWhereLinesAreWritten) {
  const auto server = Serve(Echo);
  EXPECT_EQ(InChild([&] {
              for (int fd = 0; fd <= STDERR_FILENO; ++fd) {
                close(fd);
              }
              const auto client = ClientOf(*server);
              bool said = Says(*client, "child");
              for (int fd = 0; fd <= STDERR_FILENO; ++fd) {
                said = said && fcntl(fd, F_GETFD) < 0;
              }
              return said;
            }),
            0);
}

TEST_P(ClientForkTest, ManyForksWhileThreadsCall) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer's allocator may deadlock in such a child";
#endif
  const auto server = Serve(Echo);
  const auto client = ClientOf(*server);
  std::atomic<bool> done = false;
  std::atomic<int> bad = 0;
  std::vector<std::thread> threads;
  threads.reserve(3);
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!done) {
        bad += Says(*client, "thread") ? 0 : 1;
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(InChild([&] { return Says(*client, "child"); }), 0);
  }
  done = true;
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(bad, 0);
}

TEST_P(ClientForkTest, ThreadsOfAChildCallAtOnce) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the thread sanitizer lets such a child start no threads";
#endif
  const auto server = Serve(Echo);
  const auto client = ClientOf(*server);
  ASSERT_TRUE(Says(*client, "before"));
  EXPECT_EQ(
      InChild([&] {
        std::atomic<int> good = 0;
        std::vector<std::thread> threads;
        threads.reserve(4);
        for (int i = 0; i < 4; ++i) {
          threads.emplace_back([&] { good += Says(*client, "child") ? 1 : 0; });
        }
        for (std::thread& thread : threads) {
          thread.join();
        }
        return good == 4;
      }),
      0);
  EXPECT_TRUE(Says(*client, "after"));
}

TEST_P(ClientForkTest, AChildThatHasClosedEverythingLosesNothingOfItsOwn) {
  const auto server = Serve(Echo);
  const auto client = ClientOf(*server);
  ASSERT_TRUE(Says(*client, "before"));
  EXPECT_EQ(InChild([&] {
              // As daemons do; then files of its own take the numbers.
              int pair[2];
              for (int each = 3; each < 64; ++each) {
                close(each);
              }
              for (int i = 0; i < 10; ++i) {
                if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) {
                  return false;
                }
              }
              const int before = CountSockets();
              return Says(*client, "child") && CountSockets() == before + 1;
            }),
            0);
  EXPECT_TRUE(Says(*client, "after"));
}

TEST_P(ClientForkTest, AChildThatNeverCalledClosesWhatItInherited) {
  const auto server = Serve(Echo);
  auto client = ClientOf(*server);
  ASSERT_TRUE(Says(*client, "before"));
  EXPECT_EQ(InChild([&] {
              const int before = CountSockets();
              client.reset();
              return CountSockets() == before - 1;
            }),
            0);
  EXPECT_TRUE(Says(*client, "after"));
}

TEST_P(ClientForkTest, AChildNeedsNoFileAgain) {
  const auto server = Serve(Echo);
  const auto client = ClientOf(*server);
  std::filesystem::remove(Path("ca.pem"));
  EXPECT_EQ(InChild([&] { return Says(*client, "child"); }), 0);
}

TEST_P(ClientForkTest, SurvivesTheEndOfOpenssl) {
  const auto server = Serve(Echo);
  EXPECT_EQ(InChild([&] {
              auto client = ClientOf(*server);
              const bool called = Says(*client, "child");
              const int before = CountSockets();
              OPENSSL_cleanup();  // As at the end of a process.
              const bool refused = testing::Value(
                  client->Call("Sign", "{}"), StatusIs(ErrorCode::kInternal));
              client.reset();
              return called && refused && CountSockets() == before - 1;
            }),
            0);
}

INSTANTIATE_TEST_SUITE_P(
    Transports, ClientForkTest,
    testing::Values(Transport::kUnix, Transport::kHttps),
    [](const testing::TestParamInfo<Transport>& parameter) {
      return parameter.param == Transport::kUnix ? "Unix" : "Https";
    });

}  // namespace
}  // namespace kms::client
