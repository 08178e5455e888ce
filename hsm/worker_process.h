// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_WORKER_PROCESS_H_
#define HSM_WORKER_PROCESS_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "hsm/connection_set.h"
#include "hsm/fd.h"
#include "hsm/token/token.h"

namespace hsm {

// What a worker process does until it ends, given its control socket.
using ServeFn = std::function<WorkerExit(Fd control)>;

// Makes a worker ready to serve. It is called in the worker process, so it is
// also the place that reads secrets and prepares the process for holding them.
using PrepareFn = std::function<base::Result<ServeFn>()>;

// Workers of a token, which `open_token` opens.
using OpenTokenFn =
    std::function<base::Result<std::unique_ptr<token::Token>>()>;
PrepareFn OnToken(OpenTokenFn open_token);

// A worker process and the supervisor's end of its control socket, on which the
// worker reports its start (one SupervisorReply), connections are handed to it,
// and whose end tells it to stop.
struct WorkerProcess {
  pid_t pid = -1;
  Fd control;
};

// Forks a worker, which prepares itself, reports, and serves, by `niceness`
// (setpriority(2), 0 or more) behind its supervisor. The calling process must
// have one thread only. Fails with kIo.
base::Result<WorkerProcess> StartWorker(const PrepareFn& prepare, int niceness);

// What a status from waitpid() says, for people: "was killed by signal 11".
std::string DescribeExit(int wait_status);

}  // namespace hsm

#endif  // HSM_WORKER_PROCESS_H_
