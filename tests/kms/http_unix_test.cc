// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "kms/http/socket_file.h"
#include "tests/kms/http_testing.h"
#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"

namespace kms::http {
namespace {

using ::base::ErrorCode;
using ::testing::HasSubstr;
using ::testlib::IsOk;
using ::testlib::StatusIs;

boost::asio::awaitable<HttpResponse> WhoAsks(const HttpRequest& request) {
  HttpResponse response;
  response.body.append(request.peer.address);
  if (request.door == Door::kUnix && request.peer.unix_peer) {
    response.body.append(" uid ")
        .append(std::to_string(request.peer.unix_peer->uid))
        .append(" pid ")
        .append(std::to_string(request.peer.unix_peer->pid));
  }
  co_return response;
}

class UnixSocketTest : public testing::Test {
 protected:
  base::Status Listen() {
    return server_.Run([&] { return server_.server().ListenUnix(path_); });
  }

  testlib::TempDir dir_;
  const std::string path_ = dir_ / "socket";
  ServerThread server_{WhoAsks};
};

TEST_F(UnixSocketTest, NamesTheProcessThatAsks) {
  ASSERT_OK(Listen());
  RawClient client = RawClient::Unix(path_);
  EXPECT_EQ(client.Call(PostOf("")).body,
            "unix uid " + std::to_string(geteuid()) + " pid " +
                std::to_string(getpid()));
}

TEST_F(UnixSocketTest, LetsEveryUserConnect) {
  const mode_t before = umask(0077);
  ASSERT_OK(Listen());
  umask(before);
  struct stat status {};
  ASSERT_EQ(lstat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0666u);
}

TEST_F(UnixSocketTest, ReplacesTheFileOfAServerThatDied) {
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)),
            0);
  close(fd);
  ASSERT_TRUE(std::filesystem::exists(path_));
  ASSERT_OK(Listen());
  EXPECT_EQ(RawClient::Unix(path_).Call(PostOf("")).status, 200);
}

TEST_F(UnixSocketTest, LeavesTheSocketOfALivingServerAlone) {
  ASSERT_OK(Listen());
  ServerThread other(Echo);
  EXPECT_THAT(other.Run([&] { return other.server().ListenUnix(path_); }),
              StatusIs(ErrorCode::kBusy, HasSubstr(path_)));
  EXPECT_EQ(RawClient::Unix(path_).Call(PostOf("")).status, 200);
}

TEST_F(UnixSocketTest, LeavesOtherFilesAlone) {
  std::ofstream(path_) << "precious";
  EXPECT_THAT(Listen(),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("not a socket")));
  std::string text;
  std::ifstream(path_) >> text;
  EXPECT_EQ(text, "precious");
}

TEST_F(UnixSocketTest, RefusesAPathThatDoesNotFit) {
  const auto listen = [&](const std::string& path) {
    return server_.Run([&] { return server_.server().ListenUnix(path); });
  };
  EXPECT_THAT(listen(dir_ / std::string(108, 'x')),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("107")));
  EXPECT_THAT(listen(""), StatusIs(ErrorCode::kInvalidArgument));
  EXPECT_THAT(listen(dir_ / "no such folder/socket"),
              StatusIs(ErrorCode::kIo, HasSubstr("no such folder")));
}

TEST_F(UnixSocketTest, RemovesItsFileWhenItStops) {
  ASSERT_OK(Listen());
  EXPECT_TRUE(server_.Shutdown(std::chrono::seconds(1)).get());
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(UnixSocketTest, DoesNotRemoveAnothersFile) {
  ASSERT_OK(Listen());
  std::filesystem::remove(path_);
  ServerThread next(Echo);
  ASSERT_THAT(next.Run([&] { return next.server().ListenUnix(path_); }),
              IsOk());
  EXPECT_TRUE(server_.Shutdown(std::chrono::seconds(1)).get());
  EXPECT_EQ(RawClient::Unix(path_).Call(PostOf("")).status, 200);
}

}  // namespace
}  // namespace kms::http
