// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGERD_DAEMON_H_
#define TOOLS_CLAVIGERD_DAEMON_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "kms/operations/bootstrap.h"
#include "tools/config/config.h"

namespace tools {

// What a store gets beside its service keys, unless it has it: the access key
// of its administrator.
struct FirstAdministrator {
  std::string access_key_id;
  base::Secret secret;
};

// A Daemon is clavigerd between its configuration and its signals: the store,
// the audit log, an io thread for each processor that it may use, the doors.
// Not synchronised.
class Daemon {
 public:
  // `config` is complete and its folders exist. `clock` is borrowed.
  Daemon(config::Config config, const base::Clock& clock);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Opens everything in the order in which it can be trusted: store, token,
  // service keys, audit log (which the store must not lag behind), what crashes
  // left, credentials. With `first`, a store without service keys is made ready
  // for use, and any store lets this administrator in, or is refused; without,
  // a store without service keys is refused.
  base::Status Open(const FirstAdministrator* first);

  // Listens where the configuration says.
  base::Status Listen();
  std::uint16_t http_port() const;  // 0 if there is no such listener.

  // Serves until Stop; then answers what was accepted and closes everything.
  void Run();

  // From a signal's thread or any other.
  void Stop();

  // Reads certificate and key again, and adopts what of `config` can change
  // without a restart: the further tokens. Whole or not at all. Then passwords
  // of clusters may be compared again; what keeps them from it is logged, and
  // is an error if there was nothing else to do. False: there was nothing to
  // do.
  base::Result<bool> Reload(const config::Config& config);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace tools

#endif  // TOOLS_CLAVIGERD_DAEMON_H_
