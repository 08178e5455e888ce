// SPDX-License-Identifier: Apache-2.0
#include "hsm/client/ask.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <utility>

#include "hsm/socket.h"

namespace hsm::client {
namespace {

namespace asio = boost::asio;

using std::chrono::milliseconds;

// A worker opens its token within the supervisor's own, shorter, deadline.
constexpr milliseconds kConnectTimeout{180'000};
// A process that was sent SIGKILL is gone at once, or its machine is ill.
constexpr milliseconds kReplaceTimeout{5'000};
constexpr milliseconds kRetryPause{50};

struct Answer {
  SupervisorReply reply;
  Fd fd;
};

base::Error Unreachable(const base::Error& cause) {
  return {base::ErrorCode::kHsmUnavailable,
          cause.message + " (is claviger-hsm running for this key store?)"};
}

asio::awaitable<base::Result<Fd>> Reach(std::string path,
                                        milliseconds patience) {
  asio::steady_timer pause(co_await asio::this_coro::executor);
  while (true) {
    base::Result<Fd> socket = ConnectTo(path);
    if (socket) {
      co_return std::move(socket);
    }
    if (patience <= milliseconds{0}) {
      co_return Unreachable(socket.error());
    }
    patience -= kRetryPause;
    pause.expires_after(kRetryPause);
    const auto [error] =
        co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
    if (error) {
      co_return Unreachable(socket.error());
    }
  }
}

// Sends the request and waits for its answer, which may carry a descriptor.
asio::awaitable<base::Result<Answer>> Ask(Fd socket, SupervisorRequest request,
                                          milliseconds timeout,
                                          Asking& asking) {
  const auto executor = co_await asio::this_coro::executor;
  if (base::Status sent = SendPacket(socket.get(), EncodeRequest(request));
      !sent) {
    co_return Unreachable(sent.error());
  }
  // Shared, because a timer that has fired cannot be called back.
  const auto stream = std::make_shared<asio::posix::stream_descriptor>(
      executor, socket.Release());
  asking.stream = stream;
  asio::steady_timer timer(executor, timeout);
  timer.async_wait([stream](auto error) {
    if (!error) {
      stream->cancel();
    }
  });
  const auto [error] =
      co_await stream->async_wait(asio::posix::stream_descriptor::wait_read,
                                  asio::as_tuple(asio::use_awaitable));
  timer.cancel();
  if (error) {
    co_return base::Error{base::ErrorCode::kHsmUnavailable,
                          "claviger-hsm did not answer"};
  }
  auto packet = ReceivePacket(stream->native_handle());
  if (!packet || packet->bytes.empty()) {
    co_return base::Error{base::ErrorCode::kHsmUnavailable,
                          "claviger-hsm ended the connection"};
  }
  CO_ASSIGN_OR_RETURN(SupervisorReply reply, DecodeReply(packet->bytes));
  co_return Answer{std::move(reply), std::move(packet->fd)};
}

}  // namespace

void Asking::Cancel() {
  if (const auto waiting = stream.lock()) {
    waiting->cancel();
  }
}

asio::awaitable<base::Result<Connected>> AskConnect(
    std::string supervisor_socket, std::uint32_t worker, milliseconds patience,
    Asking& asking) {
  CO_ASSIGN_OR_RETURN(Fd socket,
                      co_await Reach(std::move(supervisor_socket), patience));
  const SupervisorRequest request = {.kind = SupervisorRequest::Kind::kConnect,
                                     .worker = worker};
  CO_ASSIGN_OR_RETURN(Answer answer, co_await Ask(std::move(socket), request,
                                                  kConnectTimeout, asking));
  CO_RETURN_IF_ERROR(answer.reply.status);
  if (!answer.fd.valid()) {
    co_return base::Error{base::ErrorCode::kHsmUnavailable,
                          "claviger-hsm sent no connection"};
  }
  co_return Connected{std::move(answer.fd), answer.reply.generation};
}

asio::awaitable<base::Status> AskReplace(std::string supervisor_socket,
                                         std::uint32_t worker,
                                         Generation generation) {
  CO_ASSIGN_OR_RETURN(
      Fd socket, co_await Reach(std::move(supervisor_socket), milliseconds{0}));
  Asking asking;
  const SupervisorRequest request = {.kind = SupervisorRequest::Kind::kReplace,
                                     .worker = worker,
                                     .generation = generation};
  CO_ASSIGN_OR_RETURN(Answer answer, co_await Ask(std::move(socket), request,
                                                  kReplaceTimeout, asking));
  co_return answer.reply.status;
}

asio::awaitable<base::Status> AskDismiss(std::string supervisor_socket,
                                         std::uint32_t worker) {
  if (const base::Result<Fd> socket = ConnectTo(supervisor_socket);
      !socket && socket.error().code == base::ErrorCode::kNotFound) {
    co_return base::Status();
  }
  co_return co_await AskReplace(std::move(supervisor_socket), worker,
                                kWhicheverServes);
}

}  // namespace hsm::client
