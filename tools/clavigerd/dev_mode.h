// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGERD_DEV_MODE_H_
#define TOOLS_CLAVIGERD_DEV_MODE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kms/store/file_lock.h"
#include "tools/clavigerd/daemon.h"
#include "tools/config/config.h"
#include "tools/setup/setup.h"

namespace tools {

// What --dev was told.
struct DevOptions {
  std::string folder;  // Empty: a fresh temporary folder.
  std::string listen = "127.0.0.1:0";
  std::string access_key;  // "ID:SECRET"; empty: made or found again.
  std::string account = "000000000000";
  bool wrapped = false;               // Placement of new keys.
  std::string xks;                    // File of config::LoadXks, or empty.
  std::vector<std::string> services;  // Each "SERVICE=ID:SECRET".
};

// A DevMode is a whole KMS under one folder, for development and CI: a SoftHSM
// token, its workers as children of the same user (so there is no boundary
// between them and clavigerd, and it says so), an account, a credential.
// A second start on the same folder finds everything again. The workers stop
// with it.
class DevMode {
 public:
  // Makes what is not there and starts the workers. Fails with kBusy if another
  // clavigerd has the folder, before it has changed anything there; else with
  // what to install or mend.
  static base::Result<DevMode> Prepare(const DevOptions& options);

  const config::Config& config() const { return config_; }
  const FirstAdministrator& administrator() const { return administrator_; }

  // Whether the workers have ended by themselves.
  bool WorkersEnded() const {
    return workers_.HaveEnded() || xks_workers_.HaveEnded();
  }

  // Writes DIR/access-key, when the store is known to know it.
  base::Status KeepAccessKey() const;

  // Where a server at `port` is.
  std::string Endpoint(std::uint16_t port) const;

  // Writes DIR/env and DIR/bin/claviger-aws for a server at `port`.
  base::Status WriteEnvironment(std::uint16_t port) const;
  std::string env_file() const { return folder_ + "/env"; }

 private:
  DevMode() = default;
  base::Status MakeFolders(const DevOptions& options);
  base::Status MakePins();
  base::Status MakeAccessKey(const std::string& given);
  base::Status ReadAccessKey(std::string_view pair, const std::string& refusal);
  std::string token_mark() const { return folder_ + "/token-made"; }
  std::string access_key_file() const { return folder_ + "/access-key"; }
  base::Status MakeToken();
  base::Status AddService(const std::string& given);
  base::Status StartXksWorkers();

  std::string folder_;
  config::Config config_;
  FirstAdministrator administrator_;
  std::optional<kms::store::FileLock> lock_;  // Of folder_.
  setup::Workers workers_;
  setup::Workers xks_workers_;
};

}  // namespace tools

#endif  // TOOLS_CLAVIGERD_DEV_MODE_H_
