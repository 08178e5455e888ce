// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>

namespace pkcs11::module {
namespace {

// Settings are read without a lock, by threads and by children of a fork, and
// so are never freed; those that were replaced stay within reach.
struct Published {
  LogSettings settings;
  const Published* before;
};
constinit std::atomic<const Published*> current = nullptr;

const LogSettings& CurrentSettings() {
  static const LogSettings& first = *new LogSettings;
  const Published* const published = current.load();
  return published == nullptr ? first : published->settings;
}

// The system's words for our levels, in their order.
constexpr std::array kPriorities = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};

// While it lives, this thread gets no SIGPIPE from what it writes: whether that
// ends the process is the host's business, and a log is no reason for it.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  ~NoSigpipe() {
    const timespec at_once = {};
    // One that had been there before is the host's.
    while (!was_pending_ && sigtimedwait(&sigpipe_, nullptr, &at_once) < 0 &&
           errno == EINTR) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;

 private:
  sigset_t sigpipe_;
  sigset_t before_;
  bool was_pending_;
};

bool WriteAll(int descriptor, std::string_view line) {
  const NoSigpipe quiet;
  // One write, so that lines of several threads stay whole.
  return write(descriptor, line.data(), line.size()) ==
         static_cast<ssize_t>(line.size());
}

bool WriteFile(const std::string& path, std::string_view line) {
  // Does not wait for who reads from a pipe.
  const int descriptor =
      open(path.c_str(),
           O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
           S_IRUSR | S_IWUSR);
  if (descriptor < 0) {
    return false;
  }
  const bool written = WriteAll(descriptor, line);
  close(descriptor);
  return written;
}

// Not by syslog(3): its socket, its name and its lock are the host's.
bool SendToSyslog(const std::string& path, LogLevel level,
                  std::string_view line) {
  sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
  if (path.size() >= sizeof(address.sun_path)) {
    return false;
  }
  path.copy(address.sun_path, path.size());
  const int descriptor =
      socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) {
    return false;
  }
  const std::string message = fmt::format(
      "<{}>{}", LOG_USER | kPriorities.at(static_cast<std::size_t>(level)),
      line);
  const bool sent =
      sendto(descriptor, message.data(), message.size(), MSG_NOSIGNAL,
             reinterpret_cast<const sockaddr*>(&address),
             sizeof(address)) == static_cast<ssize_t>(message.size());
  close(descriptor);
  return sent;
}

// Without its end.
std::string LineOf(std::string_view text) {
  std::string line = fmt::format("claviger-pkcs11[{}]: {}", getpid(), text);
  std::ranges::replace_if(
      line, [](char c) { return (c >= 0 && c < 0x20) || c == 0x7F; }, '?');
  return line;
}

bool Write(const LogSettings& settings, LogTarget target, LogLevel level,
           const std::string& line) {
  switch (target) {
    case LogTarget::kSyslog:
      return SendToSyslog(settings.syslog_socket, level, line);
    case LogTarget::kFile:
      return WriteFile(settings.file, line + '\n');
    case LogTarget::kStandardError:
      break;
  }
  return WriteAll(STDERR_FILENO, line + '\n');
}

}  // namespace

void SetLog(const LogSettings& settings) {
  if (settings == CurrentSettings()) {
    return;
  }
  auto* const published = new Published{settings, current.load()};
  while (!current.compare_exchange_weak(published->before, published)) {
  }
}

bool IsLogged(LogLevel level) { return level <= CurrentSettings().level; }

void LogLine(LogLevel level, std::string_view text) {
  const LogSettings& settings = CurrentSettings();
  if (level > settings.level) {
    return;
  }
  const int before = errno;  // The host's.
  const std::string line = LineOf(text);
  if (!Write(settings, settings.target, level, line) &&
      settings.target != LogTarget::kStandardError) {
    // Nobody could be told that this failed, too.
    static_cast<void>(Write(settings, LogTarget::kStandardError, level, line));
  }
  errno = before;
}

void LogLine(std::string_view text) { LogLine(LogLevel::kWarning, text); }

void LogEverywhere(std::string_view text) {
  const int before = errno;
  const std::string line = LineOf(text);
  for (const LogTarget target :
       {LogTarget::kStandardError, LogTarget::kSyslog}) {
    static_cast<void>(Write(CurrentSettings(), target, LogLevel::kError, line));
  }
  errno = before;
}

}  // namespace pkcs11::module
