// SPDX-License-Identifier: Apache-2.0
#include "hsm/serve.h"

#include <poll.h>

#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include "hsm/dispatch.h"

namespace hsm {

WorkerExit Serve(token::Token& token, Fd control) {
  ConnectionSet connections(std::move(control));
  const Connection::ExecuteFn execute = [&token](const Frame& frame,
                                                 Connection& connection) {
    return Dispatch(token, frame, connection.out());
  };
  for (;;) {
    std::vector<pollfd>& wanted = connections.Wanted();
    if (poll(wanted.data(), wanted.size(), -1) < 0) {
      if (errno == EINTR) {
        continue;
      }
      return WorkerExit::kSystemError;
    }
    if (const std::optional<WorkerExit> exit = connections.OnReady(execute)) {
      return *exit;
    }
  }
}

}  // namespace hsm
