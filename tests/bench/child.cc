// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

namespace bench {
namespace {

using base::Error;
using base::ErrorCode;

struct Pipe {
  hsm::Fd read;
  hsm::Fd write;
};

base::Result<Pipe> MakePipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return Error{ErrorCode::kIo, std::string("pipe2: ") + std::strerror(errno)};
  }
  return Pipe{hsm::Fd(ends[0]), hsm::Fd(ends[1])};
}

[[noreturn]] void Become(const std::vector<std::string>& command,
                         const std::string& log, int in, int out) {
  const int messages =
      open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& word : command) {
    arguments.push_back(const_cast<char*>(word.c_str()));
  }
  arguments.push_back(nullptr);
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(messages, STDERR_FILENO);
  execv(arguments[0], arguments.data());
  dprintf(STDERR_FILENO, "cannot run %s: %s\n", arguments[0],
          std::strerror(errno));
  _exit(127);
}

// The children of every thread of `pid`; none if it is gone.
std::vector<pid_t> ChildrenOf(pid_t pid) {
  std::vector<pid_t> children;
  std::error_code gone;
  for (const auto& thread : std::filesystem::directory_iterator(
           "/proc/" + std::to_string(pid) + "/task", gone)) {
    std::ifstream file(thread.path() / "children");
    for (pid_t child = 0; file >> child;) {
      children.push_back(child);
    }
  }
  return children;
}

}  // namespace

Child::Child(pid_t pid, hsm::Fd to, hsm::Fd from)
    : pid_(pid), to_(std::move(to)), from_(std::move(from)) {}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      to_(std::move(other.to_)),
      from_(std::move(other.from_)) {}

Child::~Child() {
  if (pid_ <= 0) {
    return;
  }
  kill(pid_, SIGTERM);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

base::Result<Child> Child::Fork(
    const std::function<void(int in, int out)>& body) {
  ASSIGN_OR_RETURN(Pipe down, MakePipe());
  ASSIGN_OR_RETURN(Pipe up, MakePipe());
  const pid_t pid = fork();
  if (pid < 0) {
    return Error{ErrorCode::kIo, std::string("fork: ") + std::strerror(errno)};
  }
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    // So that the child sees the end of its input when we go.
    down.write.Close();
    up.read.Close();
    body(down.read.get(), up.write.get());
    _exit(0);
  }
  return Child(pid, std::move(down.write), std::move(up.read));
}

base::Result<Child> Child::Run(const std::vector<std::string>& command,
                               const std::string& log) {
  return Fork([&](int in, int out) { Become(command, log, in, out); });
}

base::Result<std::string> Child::ReadLine() {
  std::string line;
  char c = 0;
  while (read(from_.get(), &c, 1) == 1) {
    if (c == '\n') {
      return line;
    }
    line.push_back(c);
  }
  return Error{ErrorCode::kIo, "a process of the bench ended too early"};
}

base::Status Child::Write(std::string_view text) {
  if (write(to_.get(), text.data(), text.size()) !=
      static_cast<ssize_t>(text.size())) {
    return Error{ErrorCode::kIo, "a process of the bench is gone"};
  }
  return {};
}

double CpuSeconds(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string stat;
  std::getline(file, stat);
  // After the name, which may hold anything: state and 10 numbers, then utime
  // and stime (proc(5)).
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) {
    return 0;
  }
  std::istringstream fields(stat.substr(name_end + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) {
    fields >> skipped;
  }
  double user = 0;
  double system = 0;
  fields >> user >> system;
  double seconds = (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
  for (const pid_t child : ChildrenOf(pid)) {
    seconds += CpuSeconds(child);
  }
  return seconds;
}

double Megabytes(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
  double all = 0;
  double resident = 0;
  file >> all >> resident;
  double megabytes =
      resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1024 * 1024);
  for (const pid_t child : ChildrenOf(pid)) {
    megabytes += Megabytes(child);
  }
  return megabytes;
}

}  // namespace bench
