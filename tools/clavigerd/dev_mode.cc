// SPDX-License-Identifier: Apache-2.0
#include "tools/clavigerd/dev_mode.h"

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
#include <utility>

#include "base/bytes.h"
#include "base/log.h"
#include "base/random.h"
#include "tools/files/files.h"

namespace tools {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kTokenLabel = "claviger-dev";
constexpr int kWorkers = 2;
constexpr int kReadyTimeoutMs = 60'000;
constexpr std::array kModules = {"/usr/lib/softhsm/libsofthsm2.so",
                                 "/usr/lib/x86_64-linux-gnu/softhsm/"
                                 "libsofthsm2.so",
                                 "/usr/lib/aarch64-linux-gnu/softhsm/"
                                 "libsofthsm2.so"};

base::Result<std::string> FindModule() {
  for (const char* const module : kModules) {
    if (Exists(module)) {
      return std::string(module);
    }
  }
  return Error{ErrorCode::kNotFound,
               "SoftHSM is not installed: apt-get install softhsm2"};
}

std::string RandomText(std::size_t bytes) {
  base::Secret random(bytes);
  base::RandomBytes(random.Reveal());
  return base::HexEncode(random.Reveal());
}

// An access key id in AWS's form: AKIA and 16 of A-Z, 2-7.
std::string NewAccessKeyId() {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::array<std::uint8_t, 16> random;
  base::RandomBytes(random);
  std::string id = "AKIA";
  for (const std::uint8_t byte : random) {
    id.push_back(kAlphabet[byte % kAlphabet.size()]);
  }
  return id;
}

// Quotes for the shell.
std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    quoted.append(c == '\'' ? "'\\''" : std::string(1, c));
  }
  return quoted + "'";
}

base::Status WaitUntilReady(int fd) {
  pollfd waited = {.fd = fd, .events = POLLIN, .revents = 0};
  char byte = 0;
  if (poll(&waited, 1, kReadyTimeoutMs) == 1 && read(fd, &byte, 1) == 1) {
    return {};
  }
  return Error{ErrorCode::kHsmUnavailable,
               "claviger-hsm did not start; see its messages above"};
}

}  // namespace

base::Result<DevMode> DevMode::Prepare(const DevOptions& options) {
  DevMode dev;
  RETURN_IF_ERROR(dev.MakeFolders(options));
  RETURN_IF_ERROR(dev.MakePins());
  RETURN_IF_ERROR(dev.MakeAccessKey(options.access_key));
  RETURN_IF_ERROR(dev.MakeToken());
  RETURN_IF_ERROR(dev.StartWorkers());
  return dev;
}

DevMode::DevMode(DevMode&& other) noexcept
    : folder_(std::move(other.folder_)),
      config_(std::move(other.config_)),
      administrator_(std::move(other.administrator_)),
      workers_(std::exchange(other.workers_, -1)) {}

DevMode::~DevMode() {
  if (workers_ > 0) {
    kill(workers_, SIGTERM);
    while (waitpid(workers_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
}

base::Status DevMode::MakeFolders(const DevOptions& options) {
  folder_ = options.folder;
  if (folder_.empty()) {
    std::string pattern = "/tmp/claviger-dev.XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) {
      return Error{
          ErrorCode::kIo,
          std::string("cannot make a folder in /tmp: ") + std::strerror(errno)};
    }
    folder_ = pattern;
  }
  RETURN_IF_ERROR(MakeDirectory(folder_, 0700));
  RETURN_IF_ERROR(MakeDirectory(folder_ + "/tokens", 0700));
  RETURN_IF_ERROR(MakeDirectory(folder_ + "/bin", 0755));
  ASSIGN_OR_RETURN(const std::string module, FindModule());
  ASSIGN_OR_RETURN(config_.http, config::ParseListenAddress(options.listen));
  config_.state = folder_;
  config_.account = options.account;
  config_.unix_socket = folder_ + "/clavigerd.sock";
  config_.allow_unlocked_memory = true;
  config_.key_stores = {{.name = "default",
                         .module = module,
                         .token = fmt::format("pkcs11:token={}", kTokenLabel),
                         .pin_file = folder_ + "/pin",
                         .socket = folder_ + "/hsm.sock",
                         .quirks = "",
                         .lock_dir = folder_,
                         .workers = kWorkers}};
  return {};
}

base::Status DevMode::MakePins() {
  for (const char* const name : {"/pin", "/so-pin"}) {
    if (!Exists(folder_ + name)) {
      RETURN_IF_ERROR(WriteFile(folder_ + name, RandomText(16) + "\n", 0600));
    }
  }
  return {};
}

base::Status DevMode::MakeAccessKey(const std::string& given) {
  const std::string file = folder_ + "/access-key";
  if (!given.empty()) {
    const std::size_t colon = given.find(':');
    if (colon == std::string::npos || colon == 0 || colon + 1 == given.size()) {
      return Error{ErrorCode::kInvalidArgument,
                   "--dev-access-key must be ID:SECRET"};
    }
    RETURN_IF_ERROR(WriteFile(file, given, 0600));
  } else if (!Exists(file)) {
    RETURN_IF_ERROR(
        WriteFile(file, NewAccessKeyId() + ":" + RandomText(20), 0600));
  }
  ASSIGN_OR_RETURN(const base::Secret text, ReadSecretFile(file));
  const std::string_view pair = text.RevealText();
  administrator_.access_key_id = pair.substr(0, pair.find(':'));
  administrator_.secret = base::Secret::CopyOf(pair.substr(pair.find(':') + 1));
  return {};
}

base::Status DevMode::MakeToken() {
  const std::string conf = folder_ + "/softhsm2.conf";
  RETURN_IF_ERROR(WriteFile(conf,
                            fmt::format("directories.tokendir = {}/tokens\n"
                                        "objectstore.backend = file\n"
                                        "log.level = ERROR\n",
                                        folder_),
                            0644));
  setenv("SOFTHSM2_CONF", conf.c_str(), 1);
  // Written only when the token is whole: an interrupted start begins again.
  const std::string mark = folder_ + "/token-made";
  if (Exists(mark)) {
    return {};
  }
  RETURN_IF_ERROR(RunProgram(
      {SiblingProgram("claviger-hsm"), "init-token", "--module",
       config_.key_stores[0].module, "--label", std::string(kTokenLabel),
       "--so-pin-file", folder_ + "/so-pin", "--pin-file", folder_ + "/pin"}));
  return WriteFile(mark, std::string(kTokenLabel) + "\n", 0644);
}

base::Status DevMode::StartWorkers() {
  std::array<int, 2> ready{};
  if (pipe2(ready.data(), O_CLOEXEC) != 0) {
    return Error{ErrorCode::kIo, std::strerror(errno)};
  }
  const config::KeyStore& store = config_.key_stores[0];
  const auto started = StartProgram(
      {SiblingProgram("claviger-hsm"), "--dev", "--key-store", store.name,
       "--socket", store.socket, "--module", store.module, "--token",
       store.token, "--pin-file", store.pin_file, "--lock-dir", store.lock_dir,
       "--workers", std::to_string(store.workers), "--ready-fd",
       std::to_string(ready[1])},
      ready[1]);
  close(ready[1]);
  base::Status status;
  if (started) {
    workers_ = *started;
    status = WaitUntilReady(ready[0]);
  } else {
    status = Error(started.error());
  }
  close(ready[0]);
  return status;
}

base::Status DevMode::WriteEnvironment(std::uint16_t port) const {
  const std::string endpoint = fmt::format("http://127.0.0.1:{}", port);
  const std::string aws = folder_ + "/bin/claviger-aws";
  RETURN_IF_ERROR(WriteFile(
      aws,
      fmt::format("#!/bin/sh\n"
                  "# AWS's command line, told where to go: Debian's ignores "
                  "the environment.\n"
                  "exec \"${{CLAVIGER_AWS:-/usr/bin/aws}}\" --endpoint-url {} "
                  "\"$@\"\n",
                  endpoint),
      0755));
  std::string text = "# Source this file in a shell.\n";
  const auto set = [&text](std::string_view name, std::string_view value) {
    text += fmt::format("export {}={}\n", name, Quoted(value));
  };
  for (const char* const name : {"AWS_ENDPOINT_URL_KMS", "AWS_ENDPOINT_URL_STS",
                                 "AWS_ENDPOINT_URL_IAM", "CLAVIGER_ENDPOINT"}) {
    set(name, endpoint);
  }
  set("AWS_ACCESS_KEY_ID", administrator_.access_key_id);
  set("AWS_SECRET_ACCESS_KEY", administrator_.secret.RevealText());
  set("AWS_REGION", config_.region);
  set("AWS_DEFAULT_REGION", config_.region);
  set("CLAVIGER_SOCKET", config_.unix_socket);
  text += "unset AWS_SESSION_TOKEN AWS_PROFILE\n";
  text += fmt::format("export PATH={}:\"$PATH\"\n", Quoted(folder_ + "/bin"));
  return WriteFile(env_file(), text, 0600);
}

}  // namespace tools
