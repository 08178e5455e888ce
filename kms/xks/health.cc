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

namespace {

bool IsOfTheToken(base::ErrorCode code) {
  using enum base::ErrorCode;
  return code == kHsmUnavailable || code == kTimeout || code == kInternal;
}

}  // namespace

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
  before_ = std::exchange(now_, {});
}

void Health::NoteCall(const base::Error* error) {
  ++now_.all;
  now_.failed += error != nullptr && IsOfTheToken(error->code) ? 1 : 0;
}

bool Health::FailsOften() const {
  const std::uint64_t failed = now_.failed + before_.failed;
  return failed >= kFewestFailed &&
         failed * kFailedShare >= now_.all + before_.all;
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
  return last_->took > kSlow || FailsOften() ? "DEGRADED" : "ACTIVE";
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
