// SPDX-License-Identifier: Apache-2.0
#include "hsm/worker_process.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

#include "hsm/serve.h"
#include "hsm/socket.h"
#include "hsm/supervisor_protocol.h"

namespace hsm {
namespace {

// Exit status of a worker that reported why it cannot start.
constexpr int kNotStarted = 1;
constexpr int kParentGone = 2;

// A worker stops when its control socket ends, between two operations. The
// signals that a terminal or systemd sends to the whole group must not stop it
// within one: SoftHSM loses its token if it dies in C_Login.
void ResetSignals() {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) {
    ::signal(signal, SIG_IGN);
  }
  ::signal(SIGCHLD, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// All but the three standard descriptors and `keep`: a worker must not hold its
// siblings' sockets, or the supervisor's.
void CloseAllBut(int keep) {
  const auto kept = static_cast<unsigned>(keep);
  if (kept > 3) {
    close_range(3, kept - 1, 0);
  }
  close_range(kept + 1, ~0U, 0);
}

// The life of a worker process.
[[noreturn]] void RunWorker(pid_t supervisor, Fd control,
                            const PrepareFn& prepare, int niceness) {
  ResetSignals();
  CloseAllBut(control.get());
  const base::Result<ServeFn> serve = prepare();
  SupervisorReply report;
  if (!serve) {
    report.status = serve.error();
  }
  if (!SendPacket(control.get(), EncodeReply(report)) || !serve) {
    _exit(kNotStarted);
  }
  // Not before: dying within C_Login is what must not happen. Whoever is
  // orphaned earlier finds out here.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != supervisor) {
    _exit(kParentGone);
  }
  // Nor this: opening a token is done under its lock. Making a key is, too, but
  // that must not take the processor from those who wait for a data key.
  setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + niceness);
  _exit(static_cast<int>((*serve)(std::move(control))));
}

}  // namespace

PrepareFn OnToken(OpenTokenFn open_token) {
  return [open_token = std::move(open_token)]() -> base::Result<ServeFn> {
    ASSIGN_OR_RETURN(std::shared_ptr<token::Token> token, open_token());
    return [token = std::move(token)](Fd control) {
      return Serve(*token, std::move(control));
    };
  };
}

base::Result<WorkerProcess> StartWorker(const PrepareFn& prepare,
                                        int niceness) {
  ASSIGN_OR_RETURN(SocketPair pair, MakeSocketPair(SOCK_SEQPACKET));
  const pid_t supervisor = getpid();
  const pid_t pid = fork();
  if (pid < 0) {
    return ErrnoError("start a worker process");
  }
  if (pid == 0) {
    RunWorker(supervisor, std::move(pair.theirs), prepare, niceness);
  }
  return WorkerProcess{pid, std::move(pair.ours)};
}

std::string DescribeExit(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    return "was killed by signal " + std::to_string(WTERMSIG(wait_status));
  }
  return "ended with status " + std::to_string(WEXITSTATUS(wait_status));
}

}  // namespace hsm
