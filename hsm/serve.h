// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_SERVE_H_
#define HSM_SERVE_H_

#include "hsm/fd.h"
#include "hsm/token/token.h"

namespace hsm {

// How a worker ended by itself.
enum class WorkerExit : int {
  kStopped = 0,    // The supervisor closed the control socket.
  kTokenGone = 3,  // kHsmUnavailable: a fresh process must take over.
  kSystemError = 4,
};

// Executes the requests that arrive on a worker's connections, one after the
// other, on the calling thread: that is all a worker does. New connections (one
// message with one stream socket each) arrive on `control`, a SOCK_SEQPACKET
// socket, whose end ends the loop.
//
// Reads what is there, executes all whole frames, and writes the replies
// together: measured, one reply per write costs 3 to 5 us more. A peer that
// does not take its replies is not read from; one that sends a malformed frame
// is disconnected.
//
// The caller ends the process with _exit: modules are known to crash in
// destructors that run at exit.
WorkerExit Serve(token::Token& token, Fd control);

}  // namespace hsm

#endif  // HSM_SERVE_H_
