// SPDX-License-Identifier: Apache-2.0
#include "tools/clavigerd/xks_front.h"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <utility>

#include "kms/operations/xks/tenants.h"

namespace tools {
namespace {

namespace asio = boost::asio;

// A body over the door's own limit is answered by the door, on a connection
// that stays; one over this is not read.
constexpr std::size_t kMostBody = 2 * kms::http::XksDoor::kMostBody;

kms::http::ServerLimits LimitsOf(const config::Config& config) {
  kms::http::ServerLimits limits;
  limits.request.body_bytes = kMostBody;
  limits.connections = static_cast<std::size_t>(
      std::max(config.max_connections / config.threads, 1));
  return limits;
}

kms::http::ServerLimits PingLimits() {
  kms::http::ServerLimits limits;
  limits.request.body_bytes = 0;
  limits.connections = 64;
  return limits;
}

}  // namespace

XksFront::XksFront(asio::io_context& io, const config::Config& config,
                   kms::operations::Environment& environment,
                   kms::xks::Quotas& quotas, kms::http::Metrics& metrics)
    : io_(io),
      key_store_(environment.key_stores.primary().name),
      health_(
          environment.clock,
          [&environment] { return kms::operations::TryToken(environment); }),
      proxy_({.io = io,
              .hsm = environment.key_stores.primary().hsm,
              .store = environment.store,
              .log = environment.log,
              .clock = environment.clock,
              .health = health_},
             static_cast<std::size_t>(config.max_requests_in_flight)),
      door_(proxy_, *environment.tenants, quotas, metrics, environment.clock,
            static_cast<std::size_t>(config.max_requests_in_flight)),
      server_(
          io, environment.clock, LimitsOf(config),
          [this](const kms::http::HttpRequest& request) {
            return door_.Handle(request);
          },
          kms::http::XksDoor::Refuse),
      pings_(io, environment.clock, PingLimits(),
             [](const kms::http::HttpRequest& request)
                 -> asio::awaitable<kms::http::HttpResponse> {
               co_return kms::http::XksDoor::Ping(request);
             }) {}

void XksFront::Describe(std::string model) {
  health_.Describe(key_store_, std::move(model));
}

base::Status XksFront::Listen(const config::XksProxy& proxy,
                              std::shared_ptr<kms::http::TlsContext> tls) {
  RETURN_IF_ERROR(
      server_.ListenTls(proxy.listen.host, proxy.listen.port, std::move(tls)));
  if (proxy.ping_listen) {
    RETURN_IF_ERROR(
        pings_.ListenTcp(proxy.ping_listen->host, proxy.ping_listen->port));
  }
  return {};
}

asio::awaitable<base::Status> XksFront::Try() {
  co_await health_.Try();
  co_return base::Status();
}

void XksFront::Start() {
  asio::co_spawn(
      io_, health_.Watch(),
      asio::bind_cancellation_slot(stop_trials_.slot(), asio::detached));
}

asio::awaitable<bool> XksFront::Close(std::chrono::seconds limit) {
  co_await pings_.Shutdown(limit);  // First: load balancers go elsewhere.
  const bool all_ended = co_await server_.Shutdown(limit);
  stop_trials_.emit(asio::cancellation_type::terminal);
  co_return all_ended;
}

base::Result<std::shared_ptr<kms::http::TlsContext>> LoadXksTls(
    const config::XksProxy& proxy) {
  kms::http::TlsFiles files = {.certificate_chain = proxy.certificate,
                               .private_key = proxy.private_key};
  if (proxy.client_ca.empty()) {
    return kms::http::TlsContext::Load(std::move(files));
  }
  return kms::http::TlsContext::LoadForKnown(
      std::move(files),
      {.ca_file = proxy.client_ca, .names = proxy.client_names});
}

}  // namespace tools
