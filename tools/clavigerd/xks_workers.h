// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGERD_XKS_WORKERS_H_
#define TOOLS_CLAVIGERD_XKS_WORKERS_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "base/clock.h"
#include "base/result.h"
#include "hsm/client/client.h"
#include "hsm/client/stats.h"
#include "kms/operations/xks_caller.h"
#include "tools/config/config.h"

namespace tools {

// XksWorkers are one io thread's connections to the workers that ask XKS
// proxies. It belongs to that thread.
class XksWorkers final : public kms::operations::XksCaller {
 public:
  // `io` and `clock` are borrowed.
  XksWorkers(boost::asio::io_context& io, const config::XksClient& client,
             const base::Clock& clock);

  // Fails if a worker cannot be reached. What a proxy does is not looked at.
  boost::asio::awaitable<base::Status> Start() { return client_.Start(); }
  void Stop() { client_.Stop(); }

  hsm::client::Awaitable<hsm::XksReply> Ask(hsm::XksRequest request) override;

  const hsm::client::Stats& stats() const { return client_.stats(); }

 private:
  hsm::client::Client client_;
};

}  // namespace tools

#endif  // TOOLS_CLAVIGERD_XKS_WORKERS_H_
