// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_CONNECTION_SET_H_
#define HSM_CONNECTION_SET_H_

#include <poll.h>

#include <memory>
#include <optional>
#include <vector>

#include "hsm/connection.h"
#include "hsm/fd.h"

namespace hsm {

// How a worker ended by itself.
enum class WorkerExit : int {
  kStopped = 0,    // The supervisor closed the control socket.
  kTokenGone = 3,  // kHsmUnavailable: a fresh process must take over.
  kSystemError = 4,
};

// A ConnectionSet is a worker's control socket and the connections that have
// come over it: one message with one stream socket each. A peer that does not
// take its replies is not read from; one that sends a malformed frame is
// disconnected. It never waits: the worker's loop does. Not synchronised.
class ConnectionSet {
 public:
  // `control` is a SOCK_SEQPACKET socket, whose end ends the worker.
  explicit ConnectionSet(Fd control) : control_(std::move(control)) {}

  // What to wait for. Good until the next call.
  std::vector<pollfd>& Wanted();

  // Call when poll() has filled in what Wanted() returned. Executes what has
  // come; returns how the worker is to end, if it is.
  std::optional<WorkerExit> OnReady(const Connection::ExecuteFn& execute);

  // Sends what was appended to out() of the connections meanwhile.
  void Flush(const Connection::ExecuteFn& execute);

 private:
  std::optional<WorkerExit> TakeConnection();

  Fd control_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::vector<pollfd> wanted_;  // The control socket, then connections_.
};

}  // namespace hsm

#endif  // HSM_CONNECTION_SET_H_
