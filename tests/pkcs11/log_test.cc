// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/log.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/testlib/temp_dir.h"

namespace pkcs11::module {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

class LogTest : public testing::Test {
 protected:
  ~LogTest() override { SetLog({}); }

  std::string Contents() const {
    std::ifstream file(folder_ / "log");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  LogSettings ToFile(LogLevel level = LogLevel::kWarning) const {
    return {LogTarget::kFile, folder_ / "log", level};
  }

  testlib::TempDir folder_;
};

TEST_F(LogTest, WritesToStandardErrorByDefault) {
  CaptureStderr();
  LogLine("something");
  EXPECT_EQ(GetCapturedStderr(),
            fmt::format("claviger-pkcs11[{}]: something\n", getpid()));
}

TEST_F(LogTest, LeavesOutWhatWeighsLess) {
  SetLog(ToFile());
  LogLine(LogLevel::kInfo, "light");
  LogLine(LogLevel::kError, "heavy");
  EXPECT_FALSE(IsLogged(LogLevel::kInfo));
  EXPECT_THAT(Contents(), AllOf(HasSubstr("heavy"), Not(HasSubstr("light"))));
  SetLog(ToFile(LogLevel::kDebug));
  LogLine(LogLevel::kDebug, "trace");
  EXPECT_THAT(Contents(), HasSubstr("trace"));
}

TEST_F(LogTest, OneCallIsOneLine) {
  SetLog(ToFile());
  LogLine("a\nb\x1b[31m\x7f");
  EXPECT_EQ(Contents(),
            fmt::format("claviger-pkcs11[{}]: a?b?[31m?\n", getpid()));
}

TEST_F(LogTest, AFileIsItsOwnersAndIsAppendedTo) {
  SetLog(ToFile());
  LogLine("one");
  LogLine("two");
  const std::string text = Contents();
  EXPECT_LT(text.find("one"), text.find("two"));
  struct stat status = {};
  ASSERT_EQ(stat((folder_ / "log").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(LogTest, WhatCannotBeWrittenGoesToStandardError) {
  ASSERT_EQ(mkfifo((folder_ / "log").c_str(), 0600), 0);
  for (const LogSettings& settings :
       {LogSettings{LogTarget::kFile, folder_ / "absent/log"}, ToFile(),
        LogSettings{LogTarget::kSyslog, "", LogLevel::kWarning,
                    folder_ / "nobody"},
        LogSettings{LogTarget::kSyslog, "", LogLevel::kWarning,
                    std::string(200, 'x')}}) {
    SetLog(settings);
    CaptureStderr();
    errno = EAGAIN;
    LogLine("lost?");
    EXPECT_EQ(errno, EAGAIN);  // The host's.
    EXPECT_THAT(GetCapturedStderr(), HasSubstr("lost?"));
  }
}

// Standard error is a pipe that nobody reads from any more.
class BrokenPipeTest : public LogTest {
 protected:
  BrokenPipeTest() : before_(dup(STDERR_FILENO)) {
    std::array<int, 2> ends{};
    EXPECT_EQ(pipe(ends.data()), 0);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    sigset_t open;
    sigemptyset(&open);
    sigaddset(&open, SIGPIPE);
    pthread_sigmask(SIG_UNBLOCK, &open, &mask_);
    action_ = signal(SIGPIPE, [](int) { raised = true; });
    raised = false;
  }
  ~BrokenPipeTest() override {
    dup2(before_, STDERR_FILENO);
    close(before_);
    signal(SIGPIPE, action_);
    pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
  }

  static inline volatile sig_atomic_t raised = 0;

 private:
  const int before_;
  sigset_t mask_;
  void (*action_)(int);
};

TEST_F(BrokenPipeTest, EndsNoProcess) {
  LogLine("nobody reads this");
  EXPECT_EQ(raised, 0);
}

TEST_F(BrokenPipeTest, LeavesTheHostItsOwnSignal) {
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  pthread_kill(pthread_self(), SIGPIPE);
  LogLine("nobody reads this");
  EXPECT_EQ(raised, 0);
  pthread_sigmask(SIG_UNBLOCK, &blocked, nullptr);
  EXPECT_EQ(raised, 1);
}

// The other end of a system's log.
class SyslogTest : public LogTest {
 protected:
  SyslogTest() : socket_(socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
    const std::string path = folder_ / "syslog";
    path.copy(address.sun_path, path.size());
    EXPECT_EQ(
        bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)),
        0);
  }
  ~SyslogTest() override { close(socket_); }

  std::string Received() const {
    std::array<char, 512> buffer{};
    const ssize_t got =
        recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    return got < 0 ? "" : std::string(buffer.data(), got);
  }

  int socket_;
};

TEST_F(SyslogTest, TellsTheSystemWithItsPriority) {
  SetLog({LogTarget::kSyslog, "", LogLevel::kInfo, folder_ / "syslog"});
  CaptureStderr();
  LogLine("warned");
  LogLine(LogLevel::kInfo, "told");
  EXPECT_EQ(GetCapturedStderr(), "");
  // LOG_USER is 8; LOG_WARNING 4, LOG_INFO 6.
  EXPECT_EQ(Received(),
            fmt::format("<12>claviger-pkcs11[{}]: warned", getpid()));
  EXPECT_EQ(Received(), fmt::format("<14>claviger-pkcs11[{}]: told", getpid()));
}

TEST_F(SyslogTest, WhatIsLoggedEverywhereIsLoggedTwice) {
  SetLog({LogTarget::kFile, folder_ / "log", LogLevel::kError,
          folder_ / "syslog"});
  CaptureStderr();
  LogEverywhere("no tokens");
  EXPECT_THAT(GetCapturedStderr(), HasSubstr("no tokens"));
  EXPECT_THAT(Received(), AllOf(HasSubstr("<11>"), HasSubstr("no tokens")));
  EXPECT_EQ(Contents(), "");
}

}  // namespace
}  // namespace pkcs11::module
