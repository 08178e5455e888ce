// SPDX-License-Identifier: Apache-2.0
#include "tools/claviger-hsm/xks_workers.h"

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hsm/xks/addresses.h"
#include "hsm/xks/serve.h"
#include "hsm/xks/transport.h"
#include "tools/files/files.h"

namespace tools {

CLI::Option* AddXksOptions(CLI::App& app, CLI::Option* file,
                           XksOptions& options) {
  hsm::xks::Settings& settings = options.settings;
  CLI::Option* const chosen =
      app.add_flag("--xks", options.chosen,
                   "Ask the XKS proxies of external key stores; no token");
  app.add_option("--connect-to", options.connect_to,
                 "HOST:443:ADDRESS:PORT of a proxy; may be repeated")
      ->needs(chosen)
      ->excludes(file);
  app.add_option("--ca-file", settings.ca_file, "Authorities of proxies")
      ->needs(chosen)
      ->excludes(file);
  app.add_option("--client-certificate", settings.client_certificate,
                 "What proxies are shown")
      ->needs(chosen)
      ->excludes(file);
  app.add_option("--client-key", settings.client_key, "Its private key")
      ->needs(chosen)
      ->excludes(file);
  app.add_option_function<int>(
         "--timeout",
         [&settings](int timeout_ms) {
           settings.timeout = std::chrono::milliseconds(timeout_ms);
         },
         "Milliseconds that a proxy has")
      ->check(CLI::Range(10, 8000))
      ->needs(chosen)
      ->excludes(file);
  return chosen;
}

base::Status ReadConnectTo(XksOptions& options) {
  options.settings.connect_to.reserve(options.connect_to.size());
  for (const std::string& text : options.connect_to) {
    ASSIGN_OR_RETURN(hsm::xks::ConnectTo to, hsm::xks::ParseConnectTo(text));
    options.settings.connect_to.push_back(std::move(to));
  }
  return {};
}

hsm::PrepareFn XksWorkers(hsm::xks::Settings settings,
                          std::function<base::Status()> harden,
                          const base::Clock& clock) {
  return [settings = std::move(settings), harden = std::move(harden),
          &clock]() -> base::Result<hsm::ServeFn> {
    RETURN_IF_ERROR(harden());
    if (!settings.client_key.empty()) {
      // Only to see that nobody else can.
      RETURN_IF_ERROR(ReadSecretFile(settings.client_key));
    }
    ASSIGN_OR_RETURN(std::shared_ptr<hsm::xks::Transport> transport,
                     hsm::xks::Transport::Create(settings, clock));
    return [transport = std::move(transport)](hsm::Fd control) {
      return hsm::xks::Serve(*transport, std::move(control));
    };
  };
}

}  // namespace tools
