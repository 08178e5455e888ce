// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_CLIENT_ASK_H_
#define HSM_CLIENT_ASK_H_

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
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

// Waits for the worker to open its token. Fails with the worker's own error if
// it cannot, and with kHsmUnavailable if the supervisor cannot be reached for
// `patience`.
boost::asio::awaitable<base::Result<Connected>> AskConnect(
    std::string supervisor_socket, std::uint32_t worker,
    std::chrono::milliseconds patience);

// Succeeds once no process serves as this generation of the worker.
boost::asio::awaitable<base::Status> AskReplace(std::string supervisor_socket,
                                                std::uint32_t worker,
                                                Generation generation);

}  // namespace hsm::client

#endif  // HSM_CLIENT_ASK_H_
