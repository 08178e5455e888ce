// SPDX-License-Identifier: Apache-2.0
#include "kms/http/connection.h"

#include <openssl/crypto.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <exception>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/log.h"
#include "kms/http/kept_buffer.h"
#include "kms/http/tls.h"

namespace kms::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr auto kAwaitTuple = asio::as_tuple(asio::use_awaitable);
using TlsStream = asio::ssl::stream<TcpSocket>;

class HandshakeInProgress {
 public:
  HandshakeInProgress(ServerState& state, LiveConnection& connection)
      : state_(state), connection_(connection) {
    state_.BeginHandshake(connection_);
  }
  ~HandshakeInProgress() { state_.EndHandshake(connection_); }
  HandshakeInProgress(const HandshakeInProgress&) = delete;
  HandshakeInProgress& operator=(const HandshakeInProgress&) = delete;

 private:
  ServerState& state_;
  LiveConnection& connection_;
};

// A Connection is one accepted socket and the coroutine that serves it, which
// owns it.
template <typename Stream>
class Connection final : public LiveConnection {
 public:
  template <typename... StreamArgs>
  Connection(std::shared_ptr<ServerState> state, Peer peer, Door door,
             StreamArgs&&... stream_args)
      : state_(std::move(state)),
        peer_(std::move(peer)),
        door_(door),
        stream_(std::forward<StreamArgs>(stream_args)...),
        reader_(state_->limits.request) {
    state_->Add(*this);
  }
  ~Connection() override { state_->Remove(*this); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  asio::awaitable<void> Run();

  void Expire(base::MonotonicTime now) override;
  void Wake() override;
  void Cut() override { Close(); }

 private:
  enum class Phase : std::uint8_t {
    kHandshake,
    kIdle,
    kHeader,
    kBody,
    kHandling,
    kWriting,
    kClosing,
  };
  static constexpr bool kIsTls = std::is_same_v<Stream, TlsStream>;

  asio::awaitable<bool> Handshake();
  asio::awaitable<bool> ReadRequest();
  asio::awaitable<bool> Answer();
  asio::awaitable<bool> Write(std::string_view bytes);
  asio::awaitable<void> Refuse(const Refusal& refusal);
  asio::awaitable<void> Finish();

  auto& Raw();
  void Enter(Phase phase);
  std::optional<std::chrono::seconds> LimitOf(Phase phase) const;
  void EnterReading();
  bool HasSomethingToRead();
  void Close();

  const std::shared_ptr<ServerState> state_;
  Peer peer_;  // Whole after the handshake.
  const Door door_;
  Stream stream_;
  RequestReader reader_;
  base::WipingString reply_;
  Phase phase_ = Phase::kIdle;
  base::MonotonicTime deadline_ = base::MonotonicTime::max();
  bool served_one_ = false;
  bool overdue_ = false;  // A read was cut short by Expire().
  bool refused_ = false;
};

template <typename Stream>
asio::awaitable<void> Connection<Stream>::Run() {
  // No co_await in a condition: g++ 12 makes code of it that reads a frame it
  // has not yet written.
  bool goes_on = co_await Handshake();
  while (goes_on) {
    goes_on = co_await ReadRequest();
    if (goes_on) {
      goes_on = co_await Answer();
    }
  }
  co_await Finish();
}

template <typename Stream>
asio::awaitable<bool> Connection<Stream>::Handshake() {
  if constexpr (kIsTls) {
    Enter(Phase::kHandshake);
    const HandshakeInProgress counted(*state_, *this);
    const auto [error] = co_await stream_.async_handshake(
        asio::ssl::stream_base::server, kAwaitTuple);
    if (error) {
      // The alert that says why must not be lost to a reset.
      refused_ = true;
      co_return false;
    }
    peer_.certificate = PeerCertificateOf(stream_.native_handle());
  }
  co_return true;
}

// Returns whether a whole request is in reader_. If not, the connection has
// nothing more to say or has been told what it did wrong.
template <typename Stream>
asio::awaitable<bool> Connection<Stream>::ReadRequest() {
  phase_ = Phase::kHandling;  // So that EnterReading() starts a new deadline.
  while (true) {
    const RequestReader::Progress progress = reader_.Parse();
    if (progress == RequestReader::Progress::kComplete) {
      co_return true;
    }
    if (progress == RequestReader::Progress::kRefused) {
      co_await Refuse(reader_.refusal());
      co_return false;
    }
    EnterReading();
    if (reader_.TakeExpectsContinue()) {
      co_await Write("HTTP/1.1 100 Continue\r\n\r\n");
    }
    if (state_->draining && phase_ == Phase::kIdle && !HasSomethingToRead()) {
      co_return false;
    }
    const std::span<char> space = reader_.Space();
    const auto [error, size] = co_await stream_.async_read_some(
        asio::buffer(space.data(), space.size()), kAwaitTuple);
    if (overdue_) {
      co_await Refuse({408, "the request did not arrive in time"});
      co_return false;
    }
    if (error && !(error == asio::error::operation_aborted && Raw().is_open() &&
                   state_->draining)) {
      co_return false;
    }
    reader_.Received(size);
  }
}

template <typename Stream>
asio::awaitable<bool> Connection<Stream>::Answer() {
  Enter(Phase::kHandling);
  const HttpRequest request = reader_.Request(peer_, door_);
  const BodyRule body_rule =
      request.method == "HEAD" ? BodyRule::kOmit : BodyRule::kSend;
  bool keep_alive = reader_.KeepsAlive();
  {
    const HttpResponse response = co_await state_->handler(request);
    const bool http10 = reader_.IsHttp10();
    reader_.Next();
    // Requests that came with this one are still answered.
    keep_alive = keep_alive && (!state_->draining || reader_.HasBegun());
    const auto word = !keep_alive ? ConnectionWord::kClose
                      : http10    ? ConnectionWord::kKeepAlive
                                  : ConnectionWord::kNone;
    FormatReply(response, state_->date.At(state_->clock.Now()), word, body_rule,
                reply_);
  }
  served_one_ = true;
  const bool written = co_await Write(reply_);
  EmptyBetweenRequests(reply_);
  co_return written&& keep_alive;
}

template <typename Stream>
asio::awaitable<bool> Connection<Stream>::Write(std::string_view bytes) {
  const Phase phase = phase_;
  const base::MonotonicTime deadline = deadline_;
  Enter(Phase::kWriting);
  const auto [error, size] = co_await asio::async_write(
      stream_, asio::buffer(bytes.data(), bytes.size()), kAwaitTuple);
  phase_ = phase;
  deadline_ = deadline;
  co_return !error;
}

template <typename Stream>
asio::awaitable<void> Connection<Stream>::Refuse(const Refusal& refusal) {
  refused_ = true;
  FormatReply(state_->refuser(refusal), state_->date.At(state_->clock.Now()),
              ConnectionWord::kClose, BodyRule::kSend, reply_);
  co_await Write(reply_);
}

// A socket that is closed while bytes wait in it resets the connection, and the
// client may lose the reply that says why: so what a refused client still sends
// is read and dropped for a while.
template <typename Stream>
asio::awaitable<void> Connection<Stream>::Finish() {
  constexpr std::size_t kMostDropped = 1024 * 1024;
  auto& socket = Raw();
  if (!socket.is_open()) {
    co_return;
  }
  Enter(Phase::kClosing);
  if constexpr (kIsTls) {
    co_await stream_.async_shutdown(kAwaitTuple);
  }
  if (!refused_) {
    co_return;
  }
  error_code ignored;
  socket.shutdown(asio::socket_base::shutdown_send, ignored);
  std::array<char, 4096> dropped;
  for (std::size_t total = 0; total < kMostDropped;) {
    const auto [error, size] =
        co_await socket.async_read_some(asio::buffer(dropped), kAwaitTuple);
    OPENSSL_cleanse(dropped.data(), size);
    if (error) {
      break;
    }
    total += size;
  }
}

// The socket below TLS, or the socket.
template <typename Stream>
auto& Connection<Stream>::Raw() {
  if constexpr (kIsTls) {
    return stream_.next_layer();
  } else {
    return stream_;
  }
}

template <typename Stream>
void Connection<Stream>::Enter(Phase phase) {
  const std::optional<std::chrono::seconds> limit = LimitOf(phase);
  phase_ = phase;
  deadline_ =
      limit ? state_->clock.Monotonic() + *limit : base::MonotonicTime::max();
}

template <typename Stream>
std::optional<std::chrono::seconds> Connection<Stream>::LimitOf(
    Phase phase) const {
  const PhaseLimits& limits = state_->limits.phases;
  switch (phase) {
    case Phase::kHandshake:
      return limits.handshake;
    case Phase::kIdle:
      return served_one_ ? limits.idle : limits.header;
    case Phase::kHeader:
      return limits.header;
    case Phase::kBody:
      return limits.body;
    case Phase::kHandling:
      return std::nullopt;  // The operations have deadlines of their own.
    case Phase::kWriting:
      return limits.write;
    case Phase::kClosing:
      return limits.close;
  }
  return std::chrono::seconds{0};
}

// Enters the phase that the next bytes belong to, unless already there.
template <typename Stream>
void Connection<Stream>::EnterReading() {
  const Phase phase = reader_.HasHead()    ? Phase::kBody
                      : reader_.HasBegun() ? Phase::kHeader
                                           : Phase::kIdle;
  if (phase != phase_) {
    Enter(phase);
  }
}

template <typename Stream>
bool Connection<Stream>::HasSomethingToRead() {
  error_code error;
  return Raw().available(error) > 0 && !error;
}

template <typename Stream>
void Connection<Stream>::Expire(base::MonotonicTime now) {
  if (now < deadline_) {
    return;
  }
  const bool reading = phase_ == Phase::kHeader || phase_ == Phase::kBody;
  if (!reading || overdue_) {
    return Close();
  }
  overdue_ = true;
  error_code ignored;
  Raw().cancel(ignored);
}

template <typename Stream>
void Connection<Stream>::Wake() {
  if (phase_ == Phase::kIdle) {
    error_code ignored;
    Raw().cancel(ignored);
  }
}

template <typename Stream>
void Connection<Stream>::Close() {
  error_code ignored;
  Raw().close(ignored);
}

template <typename Stream>
asio::awaitable<void> RunToItsEnd(
    std::unique_ptr<Connection<Stream>> connection) {
  co_await connection->Run();
}

template <typename Stream, typename... StreamArgs>
void Spawn(std::shared_ptr<ServerState> state, Peer peer, Door door,
           StreamArgs&&... stream_args) {
  asio::io_context& io = state->io;
  auto connection = std::make_unique<Connection<Stream>>(
      std::move(state), std::move(peer), door,
      std::forward<StreamArgs>(stream_args)...);
  asio::co_spawn(io, RunToItsEnd(std::move(connection)),
                 [](const std::exception_ptr& exception) {
                   if (exception != nullptr) {
                     base::LogError("http: a connection ended in an exception");
                   }
                 });
}

}  // namespace

void ServePlain(std::shared_ptr<ServerState> state, TcpSocket socket,
                Peer peer) {
  Spawn<TcpSocket>(std::move(state), std::move(peer), Door::kHttp,
                   std::move(socket));
}

void ServeUnix(std::shared_ptr<ServerState> state, UnixSocket socket,
               Peer peer) {
  Spawn<UnixSocket>(std::move(state), std::move(peer), Door::kUnix,
                    std::move(socket));
}

void ServeTls(std::shared_ptr<ServerState> state, TcpSocket socket, Peer peer,
              asio::ssl::context& tls) {
  Spawn<TlsStream>(std::move(state), std::move(peer), Door::kHttps,
                   std::move(socket), tls);
}

}  // namespace kms::http
