// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGER_HSM_XKS_WORKERS_H_
#define TOOLS_CLAVIGER_HSM_XKS_WORKERS_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "hsm/worker_process.h"
#include "hsm/xks/settings.h"

namespace tools {

// What the command line says about workers that ask XKS proxies.
struct XksOptions {
  bool chosen = false;
  std::vector<std::string> connect_to;  // As they were given.
  hsm::xks::Settings settings;
};

// Returns the option that chooses them. The others stand for the configuration
// `file` where there is none.
CLI::Option* AddXksOptions(CLI::App& app, CLI::Option* file,
                           XksOptions& options);

// Reads `connect_to` into the settings. Fails with kInvalidArgument.
base::Status ReadConnectTo(XksOptions& options);

// Such a worker: hardens its process, looks at the files of `settings`, and
// serves. `clock` is borrowed.
hsm::PrepareFn XksWorkers(hsm::xks::Settings settings,
                          std::function<base::Status()> harden,
                          const base::Clock& clock);

}  // namespace tools

#endif  // TOOLS_CLAVIGER_HSM_XKS_WORKERS_H_
