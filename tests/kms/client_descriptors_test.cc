// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "kms/client/client.h"
#include "kms/client/descriptors.h"
#include "tests/kms/client_certificates.h"
#include "tests/kms/client_server.h"
#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"

namespace kms::client {
namespace {

int NewSocket() { return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); }

bool IsOpen(int descriptor) { return fcntl(descriptor, F_GETFD) >= 0; }

TEST(DescriptorSetTest, ClosesWhatIsInIt) {
  DescriptorSet set;
  std::vector<int> sockets;
  for (int i = 0; i < 40; ++i) {  // More than one block.
    sockets.push_back(NewSocket());
    set.Add(sockets.back());
  }
  set.CloseAll();
  for (const int each : sockets) {
    EXPECT_FALSE(IsOpen(each));
  }
}

TEST(DescriptorSetTest, ClosesOneAndForgetsIt) {
  DescriptorSet set;
  const int number = NewSocket();
  DescriptorSet::Entry& entry = set.Add(number);
  EXPECT_TRUE(DescriptorSet::IsIntact(entry));
  DescriptorSet::Close(entry);
  EXPECT_FALSE(IsOpen(number));
  EXPECT_FALSE(DescriptorSet::IsIntact(entry));
  const int again = NewSocket();  // Mostly gets the same number.
  set.CloseAll();
  EXPECT_TRUE(IsOpen(again));
  close(again);
}

TEST(DescriptorSetTest, LeavesAloneWhatHasTakenTheNumber) {
  DescriptorSet set;
  const int number = NewSocket();
  set.Add(number);
  DescriptorSet::Entry& entry = set.Add(number);
  const int other = NewSocket();
  ASSERT_EQ(dup3(other, number, O_CLOEXEC), number);
  EXPECT_FALSE(DescriptorSet::IsIntact(entry));
  DescriptorSet::Close(entry);
  set.CloseAll();
  EXPECT_TRUE(IsOpen(number));
  close(number);
  close(other);
}

TEST(DescriptorSetTest, ClosesOnce) {
  DescriptorSet set;
  const int number = NewSocket();
  set.Add(number);
  set.CloseAll();
  const int again = NewSocket();  // Mostly gets the same number.
  set.CloseAll();
  EXPECT_TRUE(IsOpen(again));
  close(again);
}

TEST(DescriptorSetTest, UsesPlacesAgain) {
  DescriptorSet set;
  std::set<const DescriptorSet::Entry*> places;
  for (int i = 0; i < 100; ++i) {
    DescriptorSet::Entry& entry = set.Add(NewSocket());
    places.insert(&entry);
    DescriptorSet::Close(entry);
  }
  EXPECT_EQ(places.size(), 1U);
}

TEST(DescriptorSetTest, TakesManyThreads) {
  DescriptorSet set;
  std::array<std::set<DescriptorSet::Entry*>, 4> taken;
  std::vector<std::thread> threads;
  threads.reserve(taken.size());
  const int number = NewSocket();
  for (auto& mine : taken) {
    threads.emplace_back([&set, &mine, number] {
      for (int i = 0; i < 50; ++i) {
        DescriptorSet::Close(set.Add(NewSocket()));
        mine.insert(&set.Add(number));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  std::set<DescriptorSet::Entry*> all;
  for (const auto& mine : taken) {
    all.insert(mine.begin(), mine.end());
  }
  EXPECT_EQ(all.size(), 200U);
  set.CloseAll();  // The same number 200 times: closed once.
  EXPECT_FALSE(IsOpen(number));
}

enum class Kind { kPipe, kSocketPair, kFile };

// A HostFile is what a host opens under a number that was ours, and a second
// descriptor that shows what has been written to it. Neither blocks, so that
// who waits for an answer comes to an end.
class HostFile {
 public:
  HostFile(Kind kind, int number) : kind_(kind), number_(number) {
    std::array<int, 2> ends = {-1, -1};
    if (kind == Kind::kPipe) {
      EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
    } else if (kind == Kind::kSocketPair) {
      EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                           0, ends.data()),
                0);
    } else {
      ends[1] = memfd_create("file", MFD_CLOEXEC);
      const std::string path = "/proc/self/fd/" + std::to_string(ends[1]);
      ends[0] = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    }
    EXPECT_EQ(dup3(ends[1], number, O_CLOEXEC), number);
    close(ends[1]);
    EXPECT_EQ(fstat(number, &file_), 0);
    other_end_ = ends[0];
  }
  ~HostFile() {
    close(number_);
    close(other_end_);
  }
  HostFile(const HostFile&) = delete;
  HostFile& operator=(const HostFile&) = delete;

  // Whether the number is still its own and nothing has been written to it.
  bool IsUntouched() const {
    struct stat found {};
    char byte = 0;
    const ssize_t got = read(other_end_, &byte, 1);
    return fstat(number_, &found) == 0 && found.st_dev == file_.st_dev &&
           found.st_ino == file_.st_ino &&
           (kind_ == Kind::kFile ? got == 0 : got < 0 && errno == EAGAIN);
  }

 private:
  Kind kind_;
  int number_;
  struct stat file_ {};
  int other_end_ = -1;
};

// The descriptor of this process that is connected to `server`; -1 if none is.
int ConnectionTo(const Endpoint& server) {
  for (int each = 0; each < 256; ++each) {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (getpeername(each, generic, &size) != 0) {
      continue;
    }
    const bool is_it =
        server.transport == Transport::kUnix
            ? address.ss_family == AF_UNIX &&
                  reinterpret_cast<sockaddr_un*>(generic)->sun_path ==
                      server.path
            : address.ss_family == AF_INET &&
                  ntohs(reinterpret_cast<sockaddr_in*>(generic)->sin_port) ==
                      server.port;
    if (is_it) {
      return each;
    }
  }
  return -1;
}

// A host closes all descriptors between two calls, as daemons do, and then
// opens files of its own.
class ReusedNumberTest
    : public testing::TestWithParam<std::tuple<Transport, Kind>> {
 protected:
  ReusedNumberTest() {
    const Certificate authority({.name = "ca", .is_authority = true});
    authority.WriteCertificate(Path("ca.pem"));
    const Certificate certificate(
        {.name = "server", .alternative_names = "IP:127.0.0.1"}, &authority);
    certificate.WriteCertificate(Path("cert.pem"));
    certificate.WriteKey(Path("key.pem"));
    const ScriptedServer::Always always{Echo};
    const bool is_unix = std::get<Transport>(GetParam()) == Transport::kUnix;
    server_ = is_unix ? std::make_unique<ScriptedServer>(Path("s"), always)
                      : std::make_unique<ScriptedServer>(
                            Path("cert.pem"), Path("key.pem"), always);
    Options options;
    options.endpoint = server_->endpoint();
    options.timeout = std::chrono::seconds(10);
    if (!is_unix) {
      options.ca_file = Path("ca.pem");
      options.credentials.emplace(
          base::SigV4Credentials{"AKID", base::Secret::CopyOf("s"), ""});
    }
    client_ = testlib::Take(Client::Create(std::move(options), clock_));
  }

  std::string Path(std::string_view name) const {
    return (folder_ / name).string();
  }

  // By an operation that must not be sent twice.
  bool Says(const std::string& text) {
    const auto response = client_->Call("CreateKey", text);
    return response.has_value() && std::string_view(response->body) == text;
  }

  testlib::TempDir folder_;
  base::RealClock clock_;
  std::unique_ptr<ScriptedServer> server_;
  std::unique_ptr<Client> client_;
};

TEST_P(ReusedNumberTest, TheNextCallConnectsAnewAndLeavesTheHostsFileAlone) {
  ASSERT_TRUE(Says("before"));
  const HostFile file(std::get<Kind>(GetParam()),
                      ConnectionTo(server_->endpoint()));
  EXPECT_TRUE(Says("after"));
  EXPECT_TRUE(Says("again"));
  EXPECT_TRUE(file.IsUntouched());
  EXPECT_EQ(server_->connections(), 2);
}

TEST_P(ReusedNumberTest, TheEndOfTheClientLeavesTheHostsFileAlone) {
  ASSERT_TRUE(Says("before"));
  const HostFile file(std::get<Kind>(GetParam()),
                      ConnectionTo(server_->endpoint()));
  client_.reset();
  EXPECT_TRUE(file.IsUntouched());
}

TEST_P(ReusedNumberTest, TheHandlerOfAForkLeavesTheHostsFileAlone) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "what is a parent's is never freed, and reported as a leak";
#endif
  ASSERT_TRUE(Says("before"));
  const HostFile file(std::get<Kind>(GetParam()),
                      ConnectionTo(server_->endpoint()));
  client_->AfterForkInChild();
  EXPECT_TRUE(Says("after"));
  EXPECT_TRUE(file.IsUntouched());
}

TEST_P(ReusedNumberTest, AClosedNumberIsNoHindrance) {
  ASSERT_TRUE(Says("before"));
  close(ConnectionTo(server_->endpoint()));
  EXPECT_TRUE(Says("after"));
  EXPECT_EQ(server_->connections(), 2);
}

std::string NameOf(
    const testing::TestParamInfo<ReusedNumberTest::ParamType>& parameter) {
  const auto [transport, kind] = parameter.param;
  return std::string(transport == Transport::kUnix ? "Unix" : "Https") +
         (kind == Kind::kPipe         ? "Pipe"
          : kind == Kind::kSocketPair ? "SocketPair"
                                      : "File");
}

INSTANTIATE_TEST_SUITE_P(
    All, ReusedNumberTest,
    testing::Combine(testing::Values(Transport::kUnix, Transport::kHttps),
                     testing::Values(Kind::kPipe, Kind::kSocketPair,
                                     Kind::kFile)),
    NameOf);

}  // namespace
}  // namespace kms::client
