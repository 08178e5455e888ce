// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_WORKER_SET_H_
#define HSM_WORKER_SET_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "hsm/backoff.h"
#include "hsm/fd.h"
#include "hsm/supervisor.h"
#include "hsm/supervisor_protocol.h"
#include "hsm/worker_process.h"

namespace hsm {

// A WorkerSet is the supervisor's view of its workers: their processes, and
// when to start the next ones. It never waits; the supervisor's loop calls it
// when something happened. Not synchronised.
class WorkerSet {
 public:
  enum class State : std::uint8_t {
    kWaiting,   // No process; one starts when it is time.
    kStarting,  // Opening the token.
    kReady,     // Serving.
    kDying      // Killed or failed; not reaped yet.
  };

  // Both are borrowed.
  WorkerSet(const SupervisorOptions& options, const base::Clock& clock);

  std::size_t size() const { return workers_.size(); }

  // Starts the processes whose time has come, kills those that take too long.
  void Advance();
  // When Advance() has something to do next, if nothing else happens.
  std::optional<base::MonotonicTime> NextDue() const;

  // The control socket of a worker that is starting, or -1.
  int ReportFd(std::size_t index) const;
  // Call when it is readable: takes the report.
  void OnReport(std::size_t index);
  // Call after SIGCHLD.
  void Reap();
  // Gives a token that was refused another try: one worker's.
  void Forgive();

  // A new connection to the worker; nothing if it is still starting: ask again.
  // An error says why there will be none for now.
  base::Result<std::optional<Fd>> Connect(std::size_t index);
  Generation GenerationOf(std::size_t index) const;

  // Kills the worker if it serves as `generation` (or any, for
  // kWhicheverServes). True once no such process exists; ask again until then.
  bool Replace(std::size_t index, Generation generation);

  // Ends all workers: by asking, and after stop_patience, or orphan_patience if
  // `parent` is not ours any more, by force. SIGCHLD must be blocked.
  void Stop(pid_t parent);

 private:
  struct Worker {
    WorkerProcess process;
    State state = State::kWaiting;
    bool served = false;  // This process has been kReady.
    Generation generation = 0;
    std::optional<base::Error> reason;  // Why the last one could not start.
    base::MonotonicTime since{};        // When `state` began.
    base::MonotonicTime start_at{};     // kWaiting: when to start.
    Backoff backoff;
  };

  bool MayStart(const Worker& worker) const;
  void Start(std::size_t index);
  void Enter(Worker& worker, State state);
  void Kill(Worker& worker);
  void KillLate(std::chrono::milliseconds waited, bool orphaned);
  void OnGone(std::size_t index, int wait_status);
  bool AnyProcess() const;

  const SupervisorOptions& options_;
  const base::Clock& clock_;
  std::vector<Worker> workers_;
  // The newest worker that tried the PIN got ready, and none has ended since:
  // others may try it at the same time.
  bool accepted_ = false;
  std::optional<base::Error> refused_;  // Nobody tries again.
  bool stopping_ = false;               // Nobody wonders about an end.
};

}  // namespace hsm

#endif  // HSM_WORKER_SET_H_
