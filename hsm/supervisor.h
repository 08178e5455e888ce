// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_SUPERVISOR_H_
#define HSM_SUPERVISOR_H_

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "hsm/worker_process.h"

namespace hsm {

struct SupervisorOptions {
  std::string key_store;            // And token: their names, for the log.
  std::string socket_path;          // Where clavigerd comes; made and removed.
  int workers = 2;                  // 1..65: that for slow operations too.
  std::vector<uid_t> allowed_uids;  // Who may connect.
  PrepareFn prepare;                // Runs in each worker.
  // A worker that takes longer to get ready (to open its token) is killed.
  std::chrono::milliseconds open_deadline{120'000};
  // A worker that does not stop by itself for so long is killed at the end.
  std::chrono::milliseconds stop_patience{10'000};
  // The same for one that serves, when the process that started the supervisor
  // has ended: nobody waits for what the worker does.
  std::chrono::milliseconds orphan_patience{10'000};
  int ready_fd = -1;  // Gets "ready\n", and is closed, once we listen.
  // At SIGHUP, before a token that was refused gets another try. Or null.
  std::function<void()> on_forgive;
};

// Runs the workers of one token until SIGTERM or SIGINT, and hands their
// connections to clavigerd. A worker that dies or is to be replaced is followed
// by another, with back-off. A token that refuses the PIN, or that a worker
// finds unfit, is left alone, and nobody tries again before SIGHUP: a few
// attempts more would lock it. For the same reason one worker tries the PIN
// first, at the start, after SIGHUP, and whenever a worker has ended.
//
// Loads no module and reads no PIN. Takes over the signals of the process,
// which must have one thread only. Returns when all workers are gone; fails
// with kBusy if the socket is served already, kIo or kInvalidArgument if it
// cannot be made.
base::Status RunSupervisor(const SupervisorOptions& options,
                           const base::Clock& clock);

}  // namespace hsm

#endif  // HSM_SUPERVISOR_H_
