// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_XKS_SERVE_H_
#define HSM_XKS_SERVE_H_

#include "hsm/connection_set.h"
#include "hsm/fd.h"
#include "hsm/xks/transport.h"

namespace hsm::xks {

// Answers Xks and Health on a worker's connections, and any other operation
// with kUnsupportedOperation, as hsm::Serve() does for a token; but a request
// to a proxy holds up nobody, and its reply goes out when it has come. What a
// client that has gone still asked for comes to its end, and is forgotten.
WorkerExit Serve(Transport& transport, Fd control);

}  // namespace hsm::xks

#endif  // HSM_XKS_SERVE_H_
