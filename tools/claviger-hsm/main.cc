// SPDX-License-Identifier: Apache-2.0
// claviger-hsm: the workers of one token, and their supervisor. The only
// program that loads a PKCS#11 module and reads a PIN. With --xks its workers
// have no token, and ask the XKS proxies of external key stores.
#include <fmt/format.h>
#include <pwd.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "hsm/supervisor.h"
#include "hsm/token/init_token.h"
#include "hsm/token/probe_token.h"
#include "hsm/token/token.h"
#include "hsm/token/trust_key.h"
#include "hsm/token/vacancy.h"
#include "tools/claviger-hsm/xks_workers.h"
#include "tools/config/config.h"
#include "tools/config/key_store.h"
#include "tools/files/files.h"
#include "tools/files/refused_pin.h"

namespace tools {
namespace {

constexpr std::size_t kWorkerHeap = 4U << 20;
// A development server that was killed is to be started again at once.
constexpr std::chrono::milliseconds kDevOrphanPatience{2'000};

struct Options {
  std::string config_file;
  config::Token store;  // With --xks only its socket and workers count.
  XksOptions xks;
  bool dev = false;
  int ready_fd = -1;
  std::string label;
  std::string so_pin_file;
  std::string public_key_file;
  std::string fingerprint;  // Of what that file should hold.
  bool adopt = false;
};

base::Status HardenProcess(bool dev) {
  RETURN_IF_ERROR(base::ForbidCoreDumps());
  ASSIGN_OR_RETURN(
      const bool locked,
      base::InitSecureHeap(kWorkerHeap, dev ? base::UnlockedMemory::kAllow
                                            : base::UnlockedMemory::kRefuse));
  if (!locked) {
    base::LogWarning("memory for the PIN could not be locked");
  }
  return {};
}

base::Result<hsm::token::TokenConfig> TokenConfigOf(
    const config::Token& store) {
  hsm::token::TokenConfig config;
  config.module = store.module;
  config.token_uri = store.token;
  config.quirks = store.quirks;
  config.lock_dir = store.lock_dir;
  config.module_parameters = store.module_parameters;
  config.accept_risks = store.accept_risks;
  ASSIGN_OR_RETURN(config.pin, ReadSecretFile(store.pin_file));
  return config;
}

base::Result<uid_t> UidOf(const std::string& user) {
  const passwd* const entry = getpwnam(user.c_str());
  if (entry == nullptr) {
    return base::Error{base::ErrorCode::kInvalidArgument,
                       "hsm.allowed_user: there is no user '" + user + "'"};
  }
  return entry->pw_uid;
}

base::Status ReadConfig(Options& options, std::vector<uid_t>& allowed) {
  if (options.config_file.empty()) {
    allowed = {geteuid(), 0};
    return ReadConnectTo(options.xks);
  }
  ASSIGN_OR_RETURN(const config::Config config,
                   config::Load(options.config_file));
  ASSIGN_OR_RETURN(const uid_t uid, UidOf(config.allowed_user));
  allowed = {uid, 0};
  if (options.xks.chosen) {
    if (!config.xks_client) {
      return base::Error{
          base::ErrorCode::kInvalidArgument,
          "--xks needs a table [xks_client] in " + options.config_file};
    }
    options.xks.settings = config.xks_client->settings;
    options.store.socket = config.xks_client->socket;
    options.store.workers = config.xks_client->workers;
    return {};
  }
  ASSIGN_OR_RETURN(options.store, config::FindToken(config, options.store.name,
                                                    options.store.token));
  return {};
}

base::Result<std::unique_ptr<hsm::token::Token>> OpenToken(
    const Options& options, RefusedPin& refused, const base::Clock& clock) {
  RETURN_IF_ERROR(HardenProcess(options.dev));
  RETURN_IF_ERROR(refused.Check());
  ASSIGN_OR_RETURN(auto config, TokenConfigOf(options.store));
  config.on_pin_refused = [&refused] { refused.Note(); };
  auto token = hsm::token::Token::Open(std::move(config), clock);
  if (token) {
    refused.Forget();
  }
  return token;
}

base::Status Supervise(Options options) {
  hsm::SupervisorOptions supervisor;
  RETURN_IF_ERROR(ReadConfig(options, supervisor.allowed_uids));
  supervisor.key_store = options.store.name;
  supervisor.socket_path = options.store.socket;
  supervisor.workers = options.store.workers + 1;  // One for slow operations.
  supervisor.ready_fd = options.ready_fd;
  if (options.dev) {
    supervisor.orphan_patience = kDevOrphanPatience;
  }
  const base::RealClock clock;
  if (options.xks.chosen) {
    supervisor.key_store = "xks_client";
    supervisor.workers = options.store.workers;
    supervisor.prepare = XksWorkers(
        options.xks.settings, [&] { return HardenProcess(options.dev); },
        clock);
    return hsm::RunSupervisor(supervisor, clock);
  }
  RefusedPin refused({.name = options.store.name,
                      .socket = options.store.socket,
                      .module = options.store.module,
                      .uri = options.store.token,
                      .pin_file = options.store.pin_file});
  supervisor.on_forgive = [&refused] { refused.Forget(); };
  supervisor.prepare =
      hsm::OnToken([&] { return OpenToken(options, refused, clock); });
  return hsm::RunSupervisor(supervisor, clock);
}

base::Status InitToken(const Options& options) {
  RETURN_IF_ERROR(HardenProcess(/*dev=*/true));
  ASSIGN_OR_RETURN(const base::Secret so_pin,
                   ReadSecretFile(options.so_pin_file));
  ASSIGN_OR_RETURN(const base::Secret pin,
                   ReadSecretFile(options.store.pin_file));
  return hsm::token::InitSoftHsmToken(options.store.module, options.label,
                                      so_pin, pin);
}

// The bytes of the one PUBLIC KEY of a PEM file.
base::Result<base::Bytes> ReadPublicKey(const std::string& path) {
  const auto failed = [&path](const char* why) {
    return base::Error{
        base::ErrorCode::kInvalidArgument,
        path + ": " + why + "; wanted is PEM, -----BEGIN PUBLIC KEY-----"};
  };
  constexpr std::string_view kHead = "-----BEGIN PUBLIC KEY-----";
  constexpr std::string_view kTail = "-----END PUBLIC KEY-----";
  std::ifstream file(path, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  if (!file) {
    return failed("cannot be read");
  }
  const std::size_t head = text.find(kHead);
  const std::size_t tail = text.find(kTail);
  if (head == std::string::npos || tail == std::string::npos || tail < head ||
      text.find(kHead, head + 1) != std::string::npos) {
    return failed("has no public key, or several");
  }
  std::string body =
      text.substr(head + kHead.size(), tail - head - kHead.size());
  std::erase_if(body, [](char c) { return c == '\n' || c == '\r'; });
  const auto bytes = base::Base64Decode(body);
  return bytes.has_value() ? bytes : failed("is no base64");
}

// A process of its own: the security officer and the user cannot be logged in
// at once.
base::Status Trust(Options options) {
  RETURN_IF_ERROR(HardenProcess(/*dev=*/true));
  ASSIGN_OR_RETURN(const base::Bytes key,
                   ReadPublicKey(options.public_key_file));
  RETURN_IF_ERROR(hsm::token::CheckFingerprint(key, options.fingerprint));
  if (!options.config_file.empty()) {
    ASSIGN_OR_RETURN(const config::Config config,
                     config::Load(options.config_file));
    ASSIGN_OR_RETURN(options.store,
                     config::FindToken(config, options.store.name, ""));
  }
  options.store.pin_file = options.so_pin_file;
  ASSIGN_OR_RETURN(const auto config, TokenConfigOf(options.store));
  ASSIGN_OR_RETURN(const hsm::token::TrustedKey trusted,
                   hsm::token::TrustPublicKey(config, key));
  fmt::print("token: {}\nSHA-256 fingerprint: {}\n{}\n", trusted.token_label,
             trusted.fingerprint,
             trusted.was_there
                 ? "trusted already"
                 : "trusted: shareable wrapping keys may leave under it");
  return {};
}

base::Status CheckVacant(const Options& options) {
  RETURN_IF_ERROR(HardenProcess(/*dev=*/true));
  ASSIGN_OR_RETURN(auto config, TokenConfigOf(options.store));
  const base::RealClock clock;
  return hsm::token::CheckVacancy(std::move(config),
                                  options.adopt ? hsm::token::Tenants::kAccept
                                                : hsm::token::Tenants::kRefuse,
                                  clock);
}

base::Status Probe(const Options& options) {
  RETURN_IF_ERROR(HardenProcess(/*dev=*/true));
  ASSIGN_OR_RETURN(const auto config, TokenConfigOf(options.store));
  ASSIGN_OR_RETURN(const hsm::token::ProbeReport report,
                   hsm::token::ProbeToken(config));
  for (const auto& [tried, outcome] : report.findings) {
    fmt::print("{}: {}\n", tried, outcome);
  }
  std::string risks;
  for (const std::string& risk : report.risks) {
    risks.append(risks.empty() ? "" : ", ").append(risk);
  }
  fmt::print("profile: {}\nrisks: {}\nverdict: {}\n", report.quirks,
             risks.empty() ? "none" : risks,
             report.refusal.empty() ? "fit to hold keys" : "refused");
  if (!report.refusal.empty()) {
    return base::Error{base::ErrorCode::kUnsupportedOperation, report.refusal};
  }
  return {};
}

void AddTokenOptions(CLI::App& app, config::Token& store) {
  app.add_option("--module", store.module, "PKCS#11 module");
  app.add_option("--token", store.token,
                 "RFC 7512 URI of the token; with --config, the name of a "
                 "further token of the key store");
  app.add_option("--pin-file", store.pin_file,
                 "File with the user PIN, readable by its owner only");
  app.add_option("--lock-dir", store.lock_dir,
                 "Lock folder of tokens without a directory");
  app.add_option("--quirks", store.quirks, "Name of a token profile");
  app.add_option("--module-parameters", store.module_parameters,
                 "What the module's C_Initialize wants (NSS)");
  app.add_option("--accept-risk", store.accept_risks,
                 "A theft that the token may allow, by its name")
      ->allow_extra_args(false);
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("The workers of one token.", "claviger-hsm");
  app.set_version_flag("--version", "claviger-hsm " CLAVIGER_VERSION);
  auto* const file = app.add_option("--config", options.config_file,
                                    "Configuration file (TOML)");
  auto* const key_store = app.add_option("--key-store", options.store.name,
                                         "Name of the key store, or "
                                         "STORE-TOKEN");
  AddXksOptions(app, file, options.xks)->excludes(key_store);
  app.add_option("--socket", options.store.socket, "Where clavigerd comes");
  app.add_option("--workers", options.store.workers)->check(CLI::Range(1, 64));
  app.add_option("--ready-fd", options.ready_fd, "Told when listening");
  app.add_flag("--dev", options.dev, "Warn where production refuses");
  AddTokenOptions(app, options.store);
  CLI::App* const init =
      app.add_subcommand("init-token", "Make a token in an empty SoftHSM slot");
  init->add_option("--label", options.label)->required();
  init->add_option("--so-pin-file", options.so_pin_file)->required();
  AddTokenOptions(*init, options.store);
  CLI::App* const probe = app.add_subcommand(
      "probe", "Try what a token can do and whether it keeps its keys");
  AddTokenOptions(*probe, options.store);
  CLI::App* const vacant = app.add_subcommand(
      "check-vacant", "Whether a new store may move into a token");
  vacant->add_flag("--adopt-token", options.adopt,
                   "Whatever other stores keep there");
  AddTokenOptions(*vacant, options.store);
  CLI::App* const trust = app.add_subcommand(
      "trust", "Let shareable wrapping keys leave under a public key");
  trust->add_option("--config", options.config_file);
  trust->add_option("--key-store", options.store.name);
  trust->add_option("--so-pin-file", options.so_pin_file)->required();
  trust->add_option("--fingerprint", options.fingerprint)->required();
  trust->add_option("PUBLIC_KEY", options.public_key_file)->required();
  AddTokenOptions(*trust, options.store);
  CLI11_PARSE(app, argc, argv);

  base::InitLog("claviger-hsm", base::LogLevel::kInfo);
  signal(SIGPIPE, SIG_IGN);
  const base::Status status = init->parsed()     ? InitToken(options)
                              : probe->parsed()  ? Probe(options)
                              : trust->parsed()  ? Trust(options)
                              : vacant->parsed() ? CheckVacant(options)
                                                 : Supervise(options);
  if (!status) {
    base::LogError("{}", status.error().message);
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace tools

int main(int argc, char** argv) { return tools::Main(argc, argv); }
