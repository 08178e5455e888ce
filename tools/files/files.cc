// SPDX-License-Identifier: Apache-2.0
#include "tools/files/files.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>

namespace tools {
namespace {

constexpr std::size_t kMostSecretBytes = 4096;

base::Error SystemError(const std::string& what) {
  return {base::ErrorCode::kIo, what + ": " + std::strerror(errno)};
}

// A file descriptor that is closed at the end.
class File {
 public:
  File(const std::string& path, int flags, mode_t mode)
      : fd_(open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  ~File() {
    if (fd_ >= 0) {
      close(fd_);
    }
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      return false;
    }
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

bool Exists(const std::string& path) {
  struct stat found {};
  return stat(path.c_str(), &found) == 0;
}

base::Status MakeDirectory(const std::string& path, mode_t mode) {
  if (mkdir(path.c_str(), mode) != 0 && errno != EEXIST) {
    return SystemError("cannot make the folder " + path);
  }
  return {};
}

base::Status WriteFile(const std::string& path, std::string_view text,
                       mode_t mode) {
  const std::string other = path + ".new";
  {
    const File file(other, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode);
    const bool written = file.fd() >= 0 && fchmod(file.fd(), mode) == 0 &&
                         WriteAll(file.fd(), text) && fsync(file.fd()) == 0;
    if (!written) {
      return SystemError("cannot write " + path);
    }
  }
  if (rename(other.c_str(), path.c_str()) != 0) {
    return SystemError("cannot write " + path);
  }
  return {};
}

base::Result<base::Secret> ReadSecretFile(const std::string& path) {
  const File file(path, O_RDONLY, 0);
  if (file.fd() < 0) {
    return SystemError("cannot read " + path);
  }
  struct stat found {};
  if (fstat(file.fd(), &found) != 0) {
    return SystemError("cannot read " + path);
  }
  if ((found.st_mode & 077) != 0) {
    return base::Error{base::ErrorCode::kInvalidArgument,
                       path +
                           " holds a secret and others may read it: "
                           "chmod 600 " +
                           path};
  }
  base::Secret text(kMostSecretBytes);
  std::size_t size = 0;
  while (size < text.size()) {
    const auto room = text.Reveal().subspan(size);
    const ssize_t n = read(file.fd(), room.data(), room.size());
    if (n < 0) {
      return SystemError("cannot read " + path);
    }
    if (n == 0) {
      break;
    }
    size += static_cast<std::size_t>(n);
  }
  if (size > 0 && text.Reveal()[size - 1] == '\n') {
    --size;
  }
  return base::Secret::CopyOf(text.Reveal().first(size));
}

base::Result<std::string> ReadPublicFile(const std::string& path,
                                         std::size_t most) {
  const File file(path, O_RDONLY, 0);
  if (file.fd() < 0) {
    return SystemError("cannot read " + path);
  }
  std::string text(most + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t n = read(file.fd(), text.data() + size, text.size() - size);
    if (n < 0) {
      return SystemError("cannot read " + path);
    }
    if (n == 0) {
      break;
    }
    size += static_cast<std::size_t>(n);
  }
  if (size > most) {
    return base::Error{
        base::ErrorCode::kInvalidArgument,
        path + " is larger than " + std::to_string(most) + " bytes"};
  }
  text.resize(size);
  return text;
}

std::string SiblingProgram(std::string_view name) {
  std::array<char, PATH_MAX> self{};
  const ssize_t size = readlink("/proc/self/exe", self.data(), self.size() - 1);
  if (size <= 0) {
    return std::string(name);
  }
  const std::string path(self.data(), static_cast<std::size_t>(size));
  std::string sibling = path.substr(0, path.rfind('/') + 1);
  sibling.append(name);
  return Exists(sibling) ? sibling : std::string(name);
}

base::Result<pid_t> StartProgram(const std::vector<std::string>& arguments,
                                 int ready_fd) {
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) {
    return SystemError("cannot start " + arguments.front());
  }
  if (child > 0) {
    return child;
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) {
    _exit(127);  // Our parent died before the request above.
  }
  if (ready_fd >= 0) {
    fcntl(ready_fd, F_SETFD, 0);
  }
  execvp(argv.front(), argv.data());
  std::perror(argv.front());
  _exit(127);
}

base::Status RunProgram(const std::vector<std::string>& arguments) {
  ASSIGN_OR_RETURN(const pid_t child, StartProgram(arguments, -1));
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) {
      return SystemError("cannot wait for " + arguments.front());
    }
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return base::Error{base::ErrorCode::kInternal,
                       arguments.front() + " failed; see its message above"};
  }
  return {};
}

}  // namespace tools
