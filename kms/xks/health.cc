// SPDX-License-Identifier: Apache-2.0
#include "kms/xks/health.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "base/log.h"
#include "kms/json_writer.h"

namespace kms::xks {

namespace asio = boost::asio;

void Health::Describe(std::string key_store, std::string model) {
  key_store_ = std::move(key_store);
  model_ = std::move(model);
}

asio::awaitable<void> Health::Try() {
  const base::MonotonicTime start = clock_.Monotonic();
  const base::Status worked = co_await probe_();
  if (!worked) {
    base::LogWarning("xks: the token of key store '{}' failed its trial: {}",
                     key_store_, worked.error().message);
  }
  const base::MonotonicTime end = clock_.Monotonic();
  last_ = {.ended = end, .took = end - start, .worked = worked.has_value()};
}

asio::awaitable<void> Health::Watch() {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  boost::system::error_code error;
  while (!error) {
    co_await Try();
    timer.expires_after(kInterval);
    std::tie(error) =
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

std::string_view Health::Status() const {
  if (!last_ || !last_->worked ||
      clock_.Monotonic() - last_->ended > kMostAge) {
    return "UNAVAILABLE";
  }
  return last_->took > kSlow ? "DEGRADED" : "ACTIVE";
}

void Health::Write(base::WipingString& out) const {
  JsonWriter(out)
      .BeginObject()
      .Number("xksProxyFleetSize", 1)
      .Text("xksProxyVendor", "Claviger")
      .Text("xksProxyModel", "clavigerd " CLAVIGER_VERSION)
      .Text("ekmVendor", "Claviger")
      .BeginArray("ekmFleetDetails")
      .BeginObject()
      .Text("id", key_store_)
      .Text("model", model_)
      .Text("healthStatus", Status())
      .EndObject()
      .EndArray()
      .EndObject();
}

}  // namespace kms::xks
