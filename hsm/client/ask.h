// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_CLIENT_ASK_H_
#define HSM_CLIENT_ASK_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "hsm/fd.h"
#include "hsm/supervisor_protocol.h"

// Questions to the supervisor. They are rare, so each has a connection of its
// own: a supervisor that was restarted needs no thought.
namespace hsm::client {

// A connection to one worker process.
struct Connected {
  Fd socket;
  Generation generation = 0;
};

// A question that waits for its answer, and can be given up.
struct Asking {
  std::weak_ptr<boost::asio::posix::stream_descriptor> stream;

  void Cancel();
};

// Waits for the worker to open its token. Fails with the worker's own error if
// it cannot, and with kHsmUnavailable if the supervisor cannot be reached for
// `patience`, or the question is given up. `asking` is borrowed.
boost::asio::awaitable<base::Result<Connected>> AskConnect(
    std::string supervisor_socket, std::uint32_t worker,
    std::chrono::milliseconds patience, Asking& asking);

// Succeeds once no process serves as this generation of the worker.
boost::asio::awaitable<base::Status> AskReplace(std::string supervisor_socket,
                                                std::uint32_t worker,
                                                Generation generation);

// Likewise, of whichever process serves. A supervisor that is not there has no
// workers: they end before it does, or with it.
boost::asio::awaitable<base::Status> AskDismiss(std::string supervisor_socket,
                                                std::uint32_t worker);

}  // namespace hsm::client

#endif  // HSM_CLIENT_ASK_H_
