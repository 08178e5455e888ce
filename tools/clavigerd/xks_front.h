// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGERD_XKS_FRONT_H_
#define TOOLS_CLAVIGERD_XKS_FRONT_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <memory>
#include <string>

#include "base/result.h"
#include "kms/http/metrics.h"
#include "kms/http/server.h"
#include "kms/http/tls.h"
#include "kms/http/xks_door.h"
#include "kms/operations/call.h"
#include "kms/xks/health.h"
#include "kms/xks/proxy.h"
#include "kms/xks/quota.h"
#include "tools/config/config.h"

namespace tools {

// An XksFront is all that one io thread has for the XKS proxy: the door with
// its own listener, and the trial of the token. It borrows what it is given.
class XksFront {
 public:
  XksFront(boost::asio::io_context& io, const config::Config& config,
           kms::operations::Environment& environment, kms::xks::Quotas& quotas,
           kms::http::Metrics& metrics);

  // What the token calls itself.
  void Describe(std::string model);

  base::Status Listen(const config::XksProxy& proxy,
                      std::shared_ptr<kms::http::TlsContext> tls);

  // Tries the token once, before anybody can ask how it does.
  boost::asio::awaitable<base::Status> Try();
  // Tries it again and again from now on, until Close.
  void Start();
  boost::asio::awaitable<bool> Close(std::chrono::seconds limit);

 private:
  boost::asio::io_context& io_;
  const std::string key_store_;
  kms::xks::Health health_;
  kms::xks::Proxy proxy_;
  kms::http::XksDoor door_;
  kms::http::HttpServer server_;
  kms::http::HttpServer pings_;  // Of load balancers, without TLS.
  boost::asio::cancellation_signal stop_trials_;
};

// What the listener of the XKS proxy presents.
base::Result<std::shared_ptr<kms::http::TlsContext>> LoadXksTls(
    const config::XksProxy& proxy);

}  // namespace tools

#endif  // TOOLS_CLAVIGERD_XKS_FRONT_H_
