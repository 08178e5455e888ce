// SPDX-License-Identifier: Apache-2.0
#include "tools/clavigerd/dev_mode.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "base/sigv4.h"
#include "base/wiping.h"
#include "hsm/socket.h"
#include "kms/identity/credentials.h"
#include "tools/files/files.h"

namespace tools {
namespace {

using base::Error;
using base::ErrorCode;
using std::chrono::milliseconds;

constexpr std::string_view kTokenLabel = "claviger-dev";
constexpr int kWorkers = 2;
// Longer than claviger-hsm's patience with its workers.
constexpr milliseconds kPredecessorTimeout{12'000};
constexpr int kKillTimeoutMs = 5'000;

// A clavigerd that was killed leaves its claviger-hsm behind for the moment
// that its workers need to finish what they do. A connection to it ends when it
// does. One that hangs is killed, and its workers die with it: we hold the lock
// of the folder, so nobody uses it any more.
void WaitForPredecessor(const std::string& socket_path) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point deadline = Clock::now() + kPredecessorTimeout;
  while (const auto predecessor = hsm::ConnectTo(socket_path)) {
    const auto left =
        std::chrono::ceil<milliseconds>(deadline - Clock::now()).count();
    pollfd waited = {.fd = predecessor->get(), .events = 0, .revents = 0};
    if (left > 0 && poll(&waited, 1, static_cast<int>(left)) != 0) {
      poll(nullptr, 0, 1);  // It is about to close its listener too.
      continue;
    }
    if (const auto pid = hsm::PeerPid(predecessor->get()); pid && *pid > 0) {
      base::LogWarning("an earlier claviger-hsm (pid {}) hangs: it is killed",
                       *pid);
      kill(*pid, SIGKILL);
      poll(&waited, 1, kKillTimeoutMs);
    }
    return;
  }
}

// AWS IAM API Reference, AccessKey: \w.
bool IsWordCharacter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
         (c >= 'a' && c <= 'z') || c == '_';
}

// Quotes for the shell.
std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    quoted.append(c == '\'' ? "'\\''" : std::string(1, c));
  }
  return quoted + "'";
}

}  // namespace

base::Result<DevMode> DevMode::Prepare(const DevOptions& options) {
  DevMode dev;
  RETURN_IF_ERROR(dev.MakeFolders(options));
  RETURN_IF_ERROR(dev.MakePins());
  RETURN_IF_ERROR(dev.MakeAccessKey(options.access_key));
  for (const std::string& service : options.services) {
    RETURN_IF_ERROR(dev.AddService(service));
  }
  RETURN_IF_ERROR(dev.MakeToken());
  WaitForPredecessor(dev.config_.key_stores[0].socket);
  ASSIGN_OR_RETURN(dev.workers_,
                   setup::Workers::Start(dev.config_.key_stores[0]));
  RETURN_IF_ERROR(dev.StartXksWorkers());
  return dev;
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
  ASSIGN_OR_RETURN(folder_, setup::DevFolder(folder_));
  RETURN_IF_ERROR(MakeDirectory(folder_, 0700));
  ASSIGN_OR_RETURN(lock_,
                   kms::store::FileLock::Acquire(folder_ + "/clavigerd.lock"));
  RETURN_IF_ERROR(MakeDirectory(folder_ + "/tokens", 0700));
  RETURN_IF_ERROR(MakeDirectory(folder_ + "/bin", 0755));
  ASSIGN_OR_RETURN(const std::string module, setup::FindSoftHsm());
  ASSIGN_OR_RETURN(config_.http, config::ParseListenAddress(options.listen));
  config_.state = folder_;
  config_.account = options.account;
  config_.unix_socket = folder_ + "/clavigerd.sock";
  config_.allow_unlocked_memory = true;
  config::KeyStore store;
  store.name = "default";
  store.module = module;
  store.token = fmt::format("pkcs11:token={}", kTokenLabel);
  store.pin_file = folder_ + "/pin";
  store.socket = folder_ + "/hsm.sock";
  store.lock_dir = folder_;
  store.workers = kWorkers;
  store.wrapped = options.wrapped;
  config_.key_stores = {store};
  return options.xks.empty() ? base::Status()
                             : config::LoadXks(options.xks, config_);
}

base::Status DevMode::MakePins() {
  const std::string pin = config_.key_stores[0].pin_file;
  std::error_code error;
  const bool has_token = Exists(token_mark()) ||
                         !std::filesystem::is_empty(folder_ + "/tokens", error);
  if (!has_token) {
    RETURN_IF_ERROR(setup::MakePinFile(folder_ + "/so-pin"));
    return setup::MakePinFile(pin);
  }
  // A token takes few wrong PINs.
  return Exists(pin) ? base::Status()
                     : Error{ErrorCode::kNotFound,
                             fmt::format("the PIN file {} is missing; restore "
                                         "it, or remove {} to begin anew",
                                         pin, folder_)};
}

base::Status DevMode::MakeAccessKey(const std::string& given) {
  const std::string file = access_key_file();
  if (!given.empty()) {
    RETURN_IF_ERROR(ReadAccessKey(given,
                                  "--dev-access-key must be ID:SECRET, without "
                                  "blanks, the ID of letters and digits"));
  } else if (Exists(file)) {
    ASSIGN_OR_RETURN(const base::Secret text, ReadSecretFile(file));
    RETURN_IF_ERROR(ReadAccessKey(
        text.RevealText(),
        file + " does not hold ID:SECRET: remove it to have the administrator "
               "given another access key"));
  } else {
    administrator_.access_key_id = kms::identity::NewAccessKeyId("AKIA");
    administrator_.secret = kms::identity::NewSecretKey();
  }
  // What a store that is being made will get must not be lost by a crash.
  return Exists(folder_ + "/claviger.db") ? base::Status() : KeepAccessKey();
}

base::Status DevMode::ReadAccessKey(std::string_view pair,
                                    const std::string& refusal) {
  const std::string_view id = base::CutAt(pair, ':');
  const auto is_visible = [](char c) { return c > ' ' && c <= '~'; };
  if (id.empty() || pair.empty() || !std::ranges::all_of(id, IsWordCharacter) ||
      !std::ranges::all_of(pair, is_visible)) {
    return Error{ErrorCode::kInvalidArgument, refusal};
  }
  administrator_.access_key_id = id;
  administrator_.secret = base::Secret::CopyOf(pair);
  return {};
}

base::Status DevMode::KeepAccessKey() const {
  base::WipingString pair(administrator_.access_key_id);
  pair.append(":").append(administrator_.secret.RevealText());
  return WriteFile(access_key_file(), pair, 0600);
}

base::Status DevMode::AddService(const std::string& given) {
  std::string_view rest = given;
  config::ServicePrincipal principal;
  principal.service = base::CutAt(rest, '=');
  principal.access_key_id = base::CutAt(rest, ':');
  if (!config::IsServicePrincipal(principal.service) ||
      principal.access_key_id.empty() || rest.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 "--dev-service must be SERVICE=ID:SECRET, the service such as "
                 "s3.amazonaws.com"};
  }
  RETURN_IF_ERROR(MakeDirectory(folder_ + "/services", 0700));
  principal.secret_file =
      fmt::format("{}/services/{}", folder_, config_.service_principals.size());
  RETURN_IF_ERROR(WriteFile(principal.secret_file, rest, 0600));
  config_.service_principals.push_back(std::move(principal));
  return {};
}

base::Status DevMode::StartXksWorkers() {
  if (!config_.xks_client) {
    return {};
  }
  const hsm::xks::Settings& settings = config_.xks_client->settings;
  if (!settings.allow_networks.empty() ||
      settings.requests_per_second !=
          hsm::xks::Settings().requests_per_second) {
    return Error{ErrorCode::kInvalidArgument,
                 "a development server does not know xks_client.allow_networks "
                 "and xks_client.requests_per_second: name proxies in "
                 "connect_to"};
  }
  config_.xks_client->socket = folder_ + "/xks.sock";
  WaitForPredecessor(config_.xks_client->socket);
  ASSIGN_OR_RETURN(xks_workers_, setup::Workers::Start(*config_.xks_client));
  return {};
}

base::Status DevMode::MakeToken() {
  RETURN_IF_ERROR(setup::UseSoftHsmConfiguration(folder_ + "/softhsm2.conf",
                                                 folder_ + "/tokens"));
  return setup::MakeToken(config_.key_stores[0], kTokenLabel,
                          folder_ + "/so-pin", token_mark());
}

std::string DevMode::Endpoint(std::uint16_t port) const {
  const std::string& host = config_.http->host;
  return host.find(':') == std::string::npos
             ? fmt::format("http://{}:{}", host, port)
             : fmt::format("http://[{}]:{}", host, port);
}

base::Status DevMode::WriteEnvironment(std::uint16_t port) const {
  const std::string endpoint = Endpoint(port);
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
