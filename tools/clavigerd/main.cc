// SPDX-License-Identifier: Apache-2.0
// clavigerd: the daemon.
#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "tools/clavigerd/daemon.h"
#include "tools/clavigerd/dev_mode.h"
#include "tools/clavigerd/print_operations.h"
#include "tools/config/config.h"

namespace tools {
namespace {

struct Options {
  std::string config_file = "/etc/claviger/clavigerd.toml";
  std::string state;
  bool dev = false;
  DevOptions dev_options;
};

base::Status HardenProcess(const config::Config& config) {
  RETURN_IF_ERROR(base::ForbidCoreDumps());
  const auto unlocked = config.allow_unlocked_memory
                            ? base::UnlockedMemory::kAllow
                            : base::UnlockedMemory::kRefuse;
  ASSIGN_OR_RETURN(const bool locked,
                   base::InitSecureHeap(config.secure_heap_bytes, unlocked));
  if (!locked) {
    base::LogWarning(
        "memory for secrets could not be locked: it may reach the swap space");
  }
  return {};
}

sigset_t HandledSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) {
    sigaddset(&set, number);
  }
  return set;
}

// In production systemd restarts them.
void WatchWorkers(const DevMode* dev) {
  if (dev != nullptr && dev->WorkersEnded()) {
    base::LogError(
        "claviger-hsm, a child of this development server, has ended: no key "
        "can be used. It is not restarted; stop clavigerd and start it again "
        "on the same --dev-dir");
  }
}

void Reload(Daemon& daemon, const std::string& config_file) {
  const auto config = config::Load(config_file);
  const base::Result<bool> reloaded =
      config ? daemon.Reload(*config) : base::Error(config.error());
  if (!reloaded) {
    base::LogError("nothing was reloaded: {}", reloaded.error().message);
  } else if (*reloaded) {
    base::LogInfo("configuration reloaded");
  } else {
    base::LogWarning(
        "nothing was reloaded: only the certificates of listen.https and "
        "xks_proxy and the further tokens of a key store can be; there are no "
        "such listeners, the tokens are as they were, and no password of a "
        "CloudHSM cluster was wrong. All else needs a restart");
  }
}

// Answers signals until the daemon is told to stop. Threads made later inherit
// the mask, so that only this one gets them.
void HandleSignals(Daemon& daemon, const Options& options, const DevMode* dev) {
  const sigset_t set = HandledSignals();
  for (;;) {
    int number = 0;
    if (sigwait(&set, &number) != 0) {
      continue;
    }
    if (number == SIGCHLD) {
      WatchWorkers(dev);
      continue;
    }
    if (number != SIGHUP) {
      base::LogInfo("stopping");
      daemon.Stop();
      return;
    }
    if (dev == nullptr) {  // Else there is no configuration to read again.
      Reload(daemon, options.config_file);
    }
  }
}

base::Status Serve(const Options& options, const config::Config& config,
                   const DevMode* dev) {
  const base::RealClock clock;
  Daemon daemon(config, clock);
  RETURN_IF_ERROR(
      daemon.Open(dev == nullptr ? nullptr : &dev->administrator()));
  if (dev != nullptr) {
    RETURN_IF_ERROR(dev->KeepAccessKey());
  }
  RETURN_IF_ERROR(daemon.Listen());
  if (dev != nullptr) {
    RETURN_IF_ERROR(dev->WriteEnvironment(daemon.http_port()));
    fmt::print("clavigerd ready {} env={}\n", dev->Endpoint(daemon.http_port()),
               dev->env_file());
  } else {
    fmt::print("clavigerd ready\n");
  }
  std::fflush(stdout);
  std::jthread signals([&] { HandleSignals(daemon, options, dev); });
  daemon.Run();
  return {};
}

base::Status RunDev(const Options& options) {
  base::LogWarning(
      "development mode: the token's workers run as the same user, so there is "
      "no boundary between them and clavigerd");
  config::Config heap;
  heap.allow_unlocked_memory = true;
  heap.secure_heap_bytes *= 2;  // For both doors, if there is an XKS proxy.
  RETURN_IF_ERROR(HardenProcess(heap));
  ASSIGN_OR_RETURN(const DevMode dev, DevMode::Prepare(options.dev_options));
  return Serve(options, dev.config(), &dev);
}

base::Status RunConfigured(const Options& options) {
  ASSIGN_OR_RETURN(config::Config config, config::Load(options.config_file));
  if (!options.state.empty()) {
    config.state = options.state;
  }
  RETURN_IF_ERROR(HardenProcess(config));
  return Serve(options, config, nullptr);
}

int Main(int argc, char** argv) {
  Options options;
  bool print_operations = false;
  CLI::App app("The Claviger key management service.", "clavigerd");
  app.set_version_flag("--version", "clavigerd " CLAVIGER_VERSION);
  auto* const file = app.add_option("--config", options.config_file,
                                    "Configuration file (TOML)")
                         ->capture_default_str();
  auto* const state =
      app.add_option("--state", options.state, "State folder, over the file's");
  auto* const dev = app.add_flag("--dev", options.dev,
                                 "A whole KMS in one folder, for development")
                        ->excludes(file)
                        ->excludes(state);
  app.add_option("--dev-dir", options.dev_options.folder,
                 "Its folder (default: a fresh one in /tmp)")
      ->needs(dev);
  app.add_option("--listen", options.dev_options.listen,
                 "Loopback address and port; 0 picks a free one")
      ->needs(dev)
      ->capture_default_str();
  app.add_option("--dev-access-key", options.dev_options.access_key,
                 "ID:SECRET of the administrator (development values only)")
      ->needs(dev);
  app.add_option("--dev-service", options.dev_options.services,
                 "SERVICE=ID:SECRET of an AWS service, such as "
                 "s3.amazonaws.com (development values only)")
      ->needs(dev);
  app.add_flag("--dev-wrapped", options.dev_options.wrapped,
               "Keep new keys wrapped in the store, not on the token")
      ->needs(dev);
  app.add_option(
         "--dev-xks", options.dev_options.xks,
         "File with the tables about external key stores: [xks_client], "
         "[xks_proxy] and [[xks_tenant]]")
      ->needs(dev);
  app.add_option("--account", options.dev_options.account, "12 digits")
      ->needs(dev)
      ->check(CLI::Validator(
          [](const std::string& text) {
            const bool good =
                text.size() == 12 &&
                text.find_first_not_of("0123456789") == std::string::npos;
            return good ? std::string() : std::string("must be 12 digits");
          },
          "DIGITS"))
      ->capture_default_str();
  app.add_flag("--print-operations", print_operations,
               "Print the table of operations and exit");
  CLI11_PARSE(app, argc, argv);

  if (print_operations) {
    PrintOperations();
    return 0;
  }
  base::InitLog("clavigerd", base::LogLevel::kInfo);
  const sigset_t handled = HandledSignals();
  pthread_sigmask(SIG_BLOCK, &handled, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // A full quota is an error of write, not a death.
  const base::Status status =
      options.dev ? RunDev(options) : RunConfigured(options);
  if (!status) {
    base::LogError("{}", status.error().message);
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace tools

int main(int argc, char** argv) { return tools::Main(argc, argv); }
