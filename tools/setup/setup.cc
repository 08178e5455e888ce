// SPDX-License-Identifier: Apache-2.0
#include "tools/setup/setup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "base/bytes.h"
#include "base/log.h"
#include "base/random.h"
#include "base/secret.h"
#include "tools/files/files.h"

namespace tools::setup {
namespace {

using base::Error;
using base::ErrorCode;

constexpr int kReadyTimeoutMs = 60'000;
// Longer than claviger-hsm's patience with its workers.
constexpr int kStopTimeoutMs = 14'000;
constexpr int kStopPauseMs = 20;
constexpr std::array kModules = {
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so"};

base::Status WaitUntilReady(int fd) {
  pollfd waited = {.fd = fd, .events = POLLIN, .revents = 0};
  char byte = 0;
  if (poll(&waited, 1, kReadyTimeoutMs) == 1 && read(fd, &byte, 1) == 1) {
    return {};
  }
  return Error{ErrorCode::kHsmUnavailable,
               "claviger-hsm did not start; see its messages above"};
}

// Whether the child ends by itself; if so, it has been collected.
bool EndsInTime(pid_t child) {
  for (int left = kStopTimeoutMs / kStopPauseMs; left > 0; --left) {
    if (waitpid(child, nullptr, WNOHANG) != 0) {
      return true;
    }
    poll(nullptr, 0, kStopPauseMs);
  }
  return false;
}

std::string SoftHsmConfiguration(const std::string& token_folder) {
  return fmt::format(
      "directories.tokendir = {}\n"
      "objectstore.backend = file\n"
      "log.level = ERROR\n",
      token_folder);
}

}  // namespace

base::Result<std::string> DevFolder(const std::string& path) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(path, error);
  if (error) {
    return Error{ErrorCode::kIo,
                 fmt::format("cannot find {}: {}", path, error.message())};
  }
  std::string folder = absolute.lexically_normal().string();
  if (folder.size() > 1 && folder.back() == '/') {
    folder.pop_back();
  }
  return folder;
}

base::Result<std::string> FindSoftHsm() {
  for (const char* const module : kModules) {
    if (Exists(module)) {
      return std::string(module);
    }
  }
  return Error{ErrorCode::kNotFound,
               "SoftHSM is not installed: apt-get install softhsm2"};
}

base::Status MakePinFile(const std::string& path) {
  if (Exists(path)) {
    return {};
  }
  std::array<std::uint8_t, 16> random;
  base::RandomBytes(random);
  return WriteFile(path, base::HexEncode(random) + "\n", 0600);
}

base::Status UseSoftHsmConfiguration(const std::string& path,
                                     const std::string& token_folder) {
  RETURN_IF_ERROR(WriteFile(path, SoftHsmConfiguration(token_folder), 0644));
  setenv("SOFTHSM2_CONF", path.c_str(), 1);
  return {};
}

bool IsSoftHsmConfiguration(const std::string& path,
                            const std::string& token_folder) {
  std::ifstream file(path);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  return file && text == SoftHsmConfiguration(token_folder);
}

base::Status MakeToken(const config::Token& token, std::string_view label,
                       const std::string& so_pin_file,
                       const std::string& mark) {
  if (Exists(mark)) {
    return {};
  }
  RETURN_IF_ERROR(
      RunProgram({SiblingProgram("claviger-hsm"), "init-token", "--module",
                  token.module, "--label", std::string(label), "--so-pin-file",
                  so_pin_file, "--pin-file", token.pin_file}));
  return WriteFile(mark, std::string(label) + "\n", 0644);
}

base::Status CheckVacant(const config::KeyStore& store, bool adopt) {
  std::vector<std::string> words = {SiblingProgram("claviger-hsm"),
                                    "check-vacant"};
  if (adopt) {
    words.emplace_back("--adopt-token");
  }
  const std::vector<std::string> token = TokenOptions(store);
  words.insert(words.end(), token.begin(), token.end());
  if (!RunProgram(words)) {
    return base::Error{base::ErrorCode::kInvalidState,
                       "the token cannot be used, as claviger-hsm says above; "
                       "nothing was changed"};
  }
  return {};
}

std::vector<std::string> TokenOptions(const config::Token& token) {
  std::vector<std::string> options;
  for (const auto& [option, value] :
       {std::pair{"--module", &token.module},
        std::pair{"--token", &token.token},
        std::pair{"--pin-file", &token.pin_file},
        std::pair{"--lock-dir", &token.lock_dir},
        std::pair{"--quirks", &token.quirks},
        std::pair{"--module-parameters", &token.module_parameters}}) {
    if (!value->empty()) {
      options.insert(options.end(), {option, *value});
    }
  }
  for (const std::string& risk : token.accept_risks) {
    options.insert(options.end(), {"--accept-risk", risk});
  }
  return options;
}

base::Result<Workers> Workers::Start(const config::Token& token) {
  std::vector<std::string> arguments = {
      "--key-store", token.name,  "--socket",
      token.socket,  "--workers", std::to_string(token.workers)};
  const std::vector<std::string> which = TokenOptions(token);
  arguments.insert(arguments.end(), which.begin(), which.end());
  return StartWith(std::move(arguments));
}

base::Result<Workers> Workers::Start(const config::XksClient& client) {
  const hsm::xks::Settings& settings = client.settings;
  std::vector<std::string> arguments = {
      "--xks",
      "--socket",
      client.socket,
      "--workers",
      std::to_string(client.workers),
      "--timeout",
      std::to_string(settings.timeout.count()),
      "--ca-file",
      settings.ca_file};
  for (const hsm::xks::ConnectTo& to : settings.connect_to) {
    arguments.insert(arguments.end(), {"--connect-to", to.text});
  }
  if (!settings.client_certificate.empty()) {
    arguments.insert(arguments.end(),
                     {"--client-certificate", settings.client_certificate,
                      "--client-key", settings.client_key});
  }
  return StartWith(std::move(arguments));
}

base::Result<Workers> Workers::StartWith(std::vector<std::string> arguments) {
  std::array<int, 2> ready{};
  if (pipe2(ready.data(), O_CLOEXEC) != 0) {
    return Error{ErrorCode::kIo, std::strerror(errno)};
  }
  arguments.insert(arguments.begin(),
                   {SiblingProgram("claviger-hsm"), "--dev"});
  arguments.insert(arguments.end(), {"--ready-fd", std::to_string(ready[1])});
  const auto started = StartProgram(arguments, ready[1]);
  close(ready[1]);
  const base::Status status =
      started ? WaitUntilReady(ready[0]) : Error(started.error());
  close(ready[0]);
  Workers workers(started ? *started : -1);
  RETURN_IF_ERROR(status);
  return workers;
}

Workers::Workers(Workers&& other) noexcept
    : supervisor_(std::exchange(other.supervisor_, -1)) {}

Workers& Workers::operator=(Workers&& other) noexcept {
  Stop();
  supervisor_ = std::exchange(other.supervisor_, -1);
  return *this;
}

Workers::~Workers() { Stop(); }

// Leaves the ended process for Stop() to collect: its id is not given anew.
bool Workers::HaveEnded() const {
  siginfo_t ended{};
  return supervisor_ > 0 &&
         waitid(P_PID, static_cast<id_t>(supervisor_), &ended,
                WEXITED | WNOHANG | WNOWAIT) == 0 &&
         ended.si_pid == supervisor_;
}

// One that hangs is killed, and its workers die with it.
void Workers::Stop() {
  if (supervisor_ > 0) {
    kill(supervisor_, SIGTERM);
    if (!EndsInTime(supervisor_)) {
      base::LogWarning("claviger-hsm (pid {}) does not stop: it is killed",
                       supervisor_);
      kill(supervisor_, SIGKILL);
      while (waitpid(supervisor_, nullptr, 0) < 0 && errno == EINTR) {
      }
    }
  }
  supervisor_ = -1;
}

}  // namespace tools::setup
