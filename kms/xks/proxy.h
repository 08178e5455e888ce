// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_XKS_PROXY_H_
#define KMS_XKS_PROXY_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/clock.h"
#include "base/result.h"
#include "base/wiping.h"
#include "hsm/client/client.h"
#include "kms/audit/log.h"
#include "kms/xks/health.h"
#include "kms/xks/tenants.h"
#include "kms/xks/uses.h"
#include "kms/xks/wire.h"

namespace kms::xks {

// A request whose signature is the tenant's. Everything is borrowed.
struct Request {
  const Tenant& tenant;
  Operation operation;
  std::string_view key_id;
  std::string_view access_key_id;
  std::string_view region;  // In which it was signed.
  std::string_view source_address;
  std::string_view user_agent;
  std::string_view body;
};

// What a Proxy stands on. All of it belongs to its io thread, or is safe to
// call from any; everything is borrowed.
struct Foundation {
  boost::asio::io_context& io;
  hsm::client::Client& hsm;
  store::Store& store;
  audit::Log& log;
  const base::Clock& clock;
  Health& health;
};

// A Proxy answers the requests of other key management services: it reads the
// body, finds the key, checks its state and who may use it, has the token do
// the work, and has the outcome in the audit log before it returns. XKS proxy
// API v1.0.3; the errors are those of ErrorRowOf (wire.h).
//
// It belongs to one io thread.
class Proxy {
 public:
  // What AWS KMS waits for is 250 ms, the way to us included.
  static constexpr std::chrono::milliseconds kDeadline{200};

  // More than `most_working` requests at a time are throttled, and counted as
  // long as the token may still work for them.
  Proxy(const Foundation& foundation, std::size_t most_working)
      : on_(foundation), most_working_(most_working), uses_(foundation.store) {}

  boost::asio::awaitable<base::Result<base::WipingString>> Handle(
      const Request& request);

 private:
  struct Call;

  boost::asio::awaitable<base::Result<base::WipingString>> Run(Call& call);
  // Fails with kKeyUnavailable, for this key alone, if the object which the
  // store names for a version is not the one that was made for it: whoever
  // writes to the store could have put that of another key there.
  boost::asio::awaitable<base::Status> Prove(const Call& call,
                                             const ExternalKeyVersion& version);
  boost::asio::awaitable<base::Result<base::WipingString>> Encrypt(Call& call);
  boost::asio::awaitable<base::Result<base::WipingString>> Decrypt(Call& call);
  boost::asio::awaitable<base::Status> Record(const Call& call,
                                              const base::Error* error);

  // Has the token work for `call`, for as long as the call has left.
  template <typename Request>
  auto Work(const Call& call, Request request)
      -> decltype(std::declval<hsm::client::Client&>().Call(
          std::move(request)));

  const Foundation on_;
  const std::size_t most_working_;
  // Of what was given up too: it still holds secrets.
  const std::shared_ptr<std::size_t> working_ =
      std::make_shared<std::size_t>(0);
  Uses uses_;
  // What Prove has found true, so that each object is asked once by this
  // thread: at a start with 10,000 keys it would be all of them at once.
  std::set<std::tuple<std::string, std::string, std::uint32_t, hsm::Locator,
                      hsm::Algorithm, hsm::CheckValue>>
      proven_;
};

}  // namespace kms::xks

#endif  // KMS_XKS_PROXY_H_
