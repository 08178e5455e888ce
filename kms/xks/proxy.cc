// SPDX-License-Identifier: Apache-2.0
#include "kms/xks/proxy.h"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "kms/xks/authorization.h"
#include "kms/xks/record.h"

namespace kms::xks {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;
using Answer = asio::awaitable<base::Result<base::WipingString>>;

Error NotMadeHere() {
  return {ErrorCode::kInvalidCiphertext,
          "this key has not made such a ciphertext, or not with this AAD"};
}

// Counts from here on, until the last copy is gone.
class Counted {
 public:
  explicit Counted(std::shared_ptr<std::size_t> count)
      : count_(std::move(count)) {
    ++*count_;
  }
  ~Counted() { --*count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  const std::shared_ptr<std::size_t> count_;
};

// Waits for `work` no longer than `limit`; after that the work goes on, still
// counted, and its outcome is dropped, since what the token has begun cannot be
// called back. Fails with kTimeout.
template <typename T>
asio::awaitable<base::Result<T>> Within(std::chrono::nanoseconds limit,
                                        asio::io_context& io,
                                        std::shared_ptr<Counted> counted,
                                        hsm::client::Awaitable<T> work) {
  struct State {
    explicit State(asio::io_context& context) : timer(context) {}
    asio::steady_timer timer;
    std::optional<base::Result<T>> result;
  };
  const auto state = std::make_shared<State>(io);
  state->timer.expires_after(limit);
  asio::co_spawn(
      io,
      [](std::shared_ptr<State> kept, std::shared_ptr<Counted> /*counted*/,
         hsm::client::Awaitable<T> running) -> asio::awaitable<void> {
        kept->result = co_await std::move(running);
        kept->timer.cancel();
      }(state, std::move(counted), std::move(work)),
      asio::detached);
  // The work may have ended at once: then nothing will cancel the timer.
  if (!state->result) {
    co_await state->timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  if (!state->result) {
    co_return Error{ErrorCode::kTimeout, "the HSM did not answer in time"};
  }
  co_return *std::move(state->result);
}

// An object that the token does not have is ours to mend: to the caller
// KeyNotFoundException would say that there never was such a key. And nobody
// learns more of a ciphertext than that it is wrong.
template <typename T>
base::Result<T> Outward(base::Result<T> result) {
  if (!result && result.error().code == ErrorCode::kNotFound) {
    return Error{ErrorCode::kKeyUnavailable, result.error().message};
  }
  if (!result && result.error().code == ErrorCode::kInvalidCiphertext) {
    return NotMadeHere();
  }
  return result;
}

// Which version of the key has made a ciphertext with this metadata: what the
// metadata says, which only its tag will prove.
base::Result<const ExternalKeyVersion*> VersionOf(const ExternalKey& key,
                                                  base::ByteView metadata) {
  constexpr std::size_t kNumber = 1;  // After the format.
  if (metadata.size() < kNumber + sizeof(std::uint32_t)) {
    return NotMadeHere();
  }
  std::uint32_t number = 0;
  for (const std::uint8_t byte : metadata.subspan(kNumber, sizeof number)) {
    number = number << 8 | byte;
  }
  if (number < 1 || number > key.versions.size()) {
    return NotMadeHere();
  }
  return &key.versions[number - 1];
}

}  // namespace

// A Call is one request on its way, as the record of it will tell.
struct Proxy::Call {
  Call(const Request& the_request, base::MonotonicTime now)
      : request(the_request), start(now) {}

  const Request& request;
  const base::MonotonicTime start;
  const ExternalKey* key = nullptr;
  Input input;
  Verdict verdict;
  std::uint32_t version = 0;  // Of the key; 0: none was used.
};

Answer Proxy::Handle(const Request& request) {
  Call call(request, on_.clock.Monotonic());
  base::Result<base::WipingString> reply = co_await Run(call);
  const Error* const error = reply ? nullptr : &reply.error();
  if (error != nullptr && ErrorRowOf(error->code).status >= 500) {
    base::LogError("xks: {} for tenant {}: {}",
                   OperationName(request.operation),
                   request.tenant.settings.name, error->message);
  }
  CO_RETURN_IF_ERROR(co_await Record(call, error));
  co_return reply;
}

// XKS proxy API v1.0.3. The order of the checks decides what a caller learns.
Answer Proxy::Run(Call& call) {
  const Request& request = call.request;
  CO_RETURN_IF_ERROR(ReadBody(request.operation, request.body, call.input));
  if (request.operation == Operation::kHealth) {
    base::WipingString body;
    on_.health.Write(body);
    co_return body;
  }
  call.key = request.tenant.FindKey(request.key_id);
  if (call.key == nullptr) {
    co_return Error{ErrorCode::kNotFound, "there is no such external key"};
  }
  if (!call.key->enabled && request.operation != Operation::kMetadata) {
    co_return Error{ErrorCode::kDisabled, "the external key is disabled"};
  }
  CO_RETURN_IF_ERROR(Authorize(request.tenant, request.operation,
                               request.key_id, call.input.metadata,
                               call.verdict));
  switch (request.operation) {
    case Operation::kHealth:
      break;
    case Operation::kMetadata: {
      base::WipingString body;
      WriteMetadata(call.key->enabled, body);
      co_return body;
    }
    case Operation::kEncrypt:
      co_return co_await Encrypt(call);
    case Operation::kDecrypt:
      co_return co_await Decrypt(call);
  }
  co_return Error{ErrorCode::kInternal, "an operation without an answer"};
}

template <typename Request>
auto Proxy::Work(const Call& call, Request request)
    -> decltype(std::declval<hsm::client::Client&>().Call(std::move(request))) {
  if (*working_ >= most_working_) {
    co_return Error{ErrorCode::kThrottled, "too many requests at once"};
  }
  auto counted = std::make_shared<Counted>(working_);
  const std::chrono::nanoseconds left =
      kDeadline - (on_.clock.Monotonic() - call.start);
  if (left <= std::chrono::nanoseconds::zero()) {
    co_return Error{ErrorCode::kTimeout, "the store did not answer in time"};
  }
  auto done = co_await Within(left, on_.io, std::move(counted),
                              on_.hsm.Call(std::move(request)));
  on_.health.NoteCall(done ? nullptr : &done.error());
  co_return done;
}

asio::awaitable<base::Status> Proxy::Prove(const Call& call,
                                           const ExternalKeyVersion& version) {
  const std::tuple proof(call.key->tenant, call.key->id, version.version,
                         version.ref.locator, version.ref.algorithm,
                         version.check_value);
  if (proven_.contains(proof)) {
    co_return base::Status();
  }
  hsm::CheckKeyRequest request;
  request.key = version.ref;
  CO_ASSIGN_OR_RETURN(const hsm::GenerateKeyReply found,
                      Outward(co_await Work(call, std::move(request))));
  if (BoundCheckValue(call.key->tenant, call.key->id, version.version,
                      found.check_value,
                      base::ThreadHasher()) != version.check_value) {
    co_return Error{
        ErrorCode::kKeyUnavailable,
        fmt::format("version {} of external key {} is refused: the store names "
                    "an object of the token for it that is another key. "
                    "Restore the store from a backup.",
                    version.version,
                    ExternalKeyArn(call.key->tenant, call.key->id))};
  }
  proven_.insert(proof);
  co_return base::Status();
}

Answer Proxy::Encrypt(Call& call) {
  const ExternalKeyVersion& version = call.key->versions.back();
  CO_RETURN_IF_ERROR(co_await uses_.Count(version));
  call.version = version.version;
  CO_RETURN_IF_ERROR(co_await Prove(call, version));
  hsm::SealExternalRequest request;
  request.key = version.ref;
  request.version = version.version;
  request.aad = std::move(call.input.aad);
  request.plaintext = std::move(call.input.plaintext);
  request.want_integrity = call.input.want_integrity;
  CO_ASSIGN_OR_RETURN(const hsm::SealExternalReply sealed,
                      Outward(co_await Work(call, std::move(request))));
  base::WipingString body;
  WriteEncrypted(sealed, body);
  co_return body;
}

Answer Proxy::Decrypt(Call& call) {
  CO_ASSIGN_OR_RETURN(const ExternalKeyVersion* const version,
                      VersionOf(*call.key, call.input.sealed.metadata));
  call.version = version->version;
  CO_RETURN_IF_ERROR(co_await Prove(call, *version));
  hsm::OpenExternalRequest request;
  request.key = version->ref;
  request.aad = std::move(call.input.aad);
  request.sealed = std::move(call.input.sealed);
  CO_ASSIGN_OR_RETURN(const hsm::PlaintextReply opened,
                      Outward(co_await Work(call, std::move(request))));
  base::WipingString body;
  WriteDecrypted(opened.plaintext, body);
  co_return body;
}

asio::awaitable<base::Status> Proxy::Record(const Call& call,
                                            const Error* error) {
  const std::string_view key_store =
      call.version == 0
          ? std::string_view()
          : std::string_view(call.key->versions[call.version - 1].key_store);
  std::string event =
      EventOf({.request = call.request,
               .metadata = call.input.metadata,
               .verdict = call.verdict,
               .version = call.version,
               .key_store = key_store,
               .time = on_.clock.Now(),
               .took = std::chrono::duration_cast<std::chrono::milliseconds>(
                   on_.clock.Monotonic() - call.start),
               .event_id = base::NewUuidText(),
               .error = error});
  co_return co_await on_.log.Append(std::move(event));
}

}  // namespace kms::xks
