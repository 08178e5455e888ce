// SPDX-License-Identifier: Apache-2.0
#include "tools/clavigerd/xks_workers.h"

#include <utility>

namespace tools {

XksWorkers::XksWorkers(boost::asio::io_context& io,
                       const config::XksClient& client,
                       const base::Clock& clock)
    : client_(io,
              {.key_store = "xks_client",
               .supervisor_socket = client.socket,
               .workers = client.workers,
               .slow_worker = false},
              clock) {}

hsm::client::Awaitable<hsm::XksReply> XksWorkers::Ask(hsm::XksRequest request) {
  return client_.Call(std::move(request));
}

}  // namespace tools
