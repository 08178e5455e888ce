// SPDX-License-Identifier: Apache-2.0
#include "kms/client/client.h"

#include <chrono>
#include <thread>
#include <utility>

#include "kms/client/errors.h"
#include "kms/client/library.h"
#include "kms/client/request.h"

namespace kms::client {
namespace {

using base::Error;
using base::ErrorCode;

// Holds most replies whole. It is wiped after each, which costs time.
constexpr std::size_t kReadBytes = 4U << 10;
constexpr int kMaxTries = 3;

base::Status CheckSigned(const Options& options) {
  if (options.credentials.has_value()) {
    return CheckCredentials(*options.credentials);
  }
  if (options.endpoint.transport == Transport::kUnix) {
    return {};
  }
  return Error{ErrorCode::kInvalidArgument,
               "requests to " + Describe(options.endpoint) +
                   " must be signed: set AWS_ACCESS_KEY_ID and "
                   "AWS_SECRET_ACCESS_KEY, or add an access key to your "
                   "profile in ~/.aws/credentials"};
}

// What came of sending a request on one connection.
struct Attempt {
  base::Result<Response> response;
  bool sent = false;      // The server may have seen some of the request.
  bool answered = false;  // A byte of a reply has come.
  bool keep = false;      // The connection can carry another request.
};

base::Result<Response> ReadResponse(Stream& stream, const Deadline& deadline,
                                    Attempt& attempt) {
  ResponseParser parser;
  base::WipingBytes buffer(kReadBytes);
  while (!parser.Done()) {
    ASSIGN_OR_RETURN(const std::size_t got, stream.Read(buffer, deadline));
    if (got == 0) {
      return Error{ErrorCode::kIo,
                   parser.Started()
                       ? "the server closed the connection within its reply"
                       : "the server closed the connection without a reply"};
    }
    attempt.answered = true;
    ASSIGN_OR_RETURN(const std::size_t used,
                     parser.Feed(base::ByteView(buffer).first(got)));
    if (used != got) {
      return Error{ErrorCode::kCorrupt,
                   "malformed reply: bytes follow where it ends"};
    }
  }
  attempt.keep = parser.KeepAlive();
  return std::move(parser).Take();
}

Attempt Ask(Stream& stream, std::string_view message,
            const Deadline& deadline) {
  Attempt attempt;
  stream.ForgetSent();
  const base::Status written = stream.Write(base::AsBytes(message), deadline);
  attempt.sent = stream.HasSent();
  attempt.response = written.has_value()
                         ? ReadResponse(stream, deadline, attempt)
                         : base::Result<Response>(written.error());
  return attempt;
}

// The host's errors, while TLS is at work.
std::optional<HostErrors> KeepHostErrors(const Endpoint& endpoint) {
  return endpoint.transport == Transport::kHttps
             ? std::optional<HostErrors>(std::in_place)
             : std::optional<HostErrors>();
}

}  // namespace

base::Result<std::unique_ptr<Client>> Client::Create(Options options,
                                                     const base::Clock& clock) {
  RETURN_IF_ERROR(CheckSigned(options));
  RETURN_IF_ERROR(CheckRegion(options.region));
  const bool is_socket = options.endpoint.transport == Transport::kUnix;
  const bool is_tls = options.endpoint.transport == Transport::kHttps;
  ASSIGN_OR_RETURN(Authorities authorities,
                   Authorities::Read(is_tls ? options.ca_file : ""));
  std::optional<base::SigV4Credentials> credentials =
      std::exchange(options.credentials, std::nullopt);
  if (is_socket) {
    credentials.reset();
  }
  std::unique_ptr<Client> client(
      new Client({std::move(options), std::move(authorities), clock}));
  ASSIGN_OR_RETURN(
      std::unique_ptr<ProcessState> state,
      ProcessState::Create(client->settings_, std::move(credentials)));
  client->state_.store(state.release());
  return client;
}

Client::~Client() {
  ProcessState* const state = state_.load();
  if (state == nullptr) {
    return;
  }
  if (state->IsOurs() && OpensslIsUp()) {
    delete state;
    return;
  }
  state->descriptors().CloseAll();
}

void Client::AfterForkInChild() {
  ProcessState* const state = state_.load();
  state->Disown();
  state->descriptors().CloseAll();
}

// The state of this process, made on the first call after a fork.
base::Result<ProcessState*> Client::Here() {
  if (!OpensslIsUp()) {
    return Error{ErrorCode::kInternal,
                 "the process is ending: OpenSSL has been shut down"};
  }
  ProcessState* state = state_.load();
  if (state->IsOurs()) {
    return state;
  }
  state->descriptors().CloseAll();
  ASSIGN_OR_RETURN(
      std::unique_ptr<ProcessState> fresh,
      ProcessState::Create(settings_, state->CredentialsAfterFork()));
  if (state_.compare_exchange_strong(state, fresh.get())) {
    return fresh.release();
  }
  return state;  // Another thread of this process was faster.
}

base::Result<Response> Client::Call(std::string_view operation,
                                    std::string_view request) {
  ASSIGN_OR_RETURN(Response response, Send(operation, request));
  if (response.status != 200) {
    return ErrorOf(response);
  }
  return response;
}

base::Result<Response> Client::Send(std::string_view operation,
                                    std::string_view request) {
  ASSIGN_OR_RETURN(ProcessState* const state, Here());
  const std::optional<HostErrors> errors = KeepHostErrors(endpoint());
  const Deadline deadline(settings_.clock, settings_.options.timeout);
  const bool repeatable = IsRepeatable(operation);
  bool renewed = false;
  for (int tries = 1;;) {
    const CredentialCache::Snapshot credentials = state->Credentials();
    ASSIGN_OR_RETURN(const base::WipingString message,
                     state->Request(operation, request, credentials));
    ASSIGN_OR_RETURN(Response response,
                     Exchange(*state, message, repeatable, deadline));
    if (response.status == 200) {
      return response;
    }
    const Error error = ErrorOf(response);
    if (error.code == ErrorCode::kExpiredToken && !renewed &&
        state->Renew(credentials)) {
      renewed = true;
      continue;
    }
    if (error.code != ErrorCode::kThrottled || !repeatable ||
        tries == kMaxTries || !Pause(*state, tries, deadline)) {
      return response;
    }
    ++tries;
  }
}

// Waits between half of a span and all of it, a span that doubles: those who
// were throttled together must not come back together. Whether there was time.
bool Client::Pause(const ProcessState& state, int tries,
                   const Deadline& deadline) const {
  const std::chrono::milliseconds most =
      settings_.options.throttle_pause * (1 << (tries - 1));
  const auto half = static_cast<std::uint64_t>(most.count()) / 2;
  const std::chrono::milliseconds pause(half +
                                        state.library().RandomUpTo(half));
  if (pause.count() >= deadline.PollTimeout()) {
    return false;
  }
  std::this_thread::sleep_for(pause);
  return true;
}

base::Result<Response> Client::Get(std::string_view path) {
  ASSIGN_OR_RETURN(ProcessState* const state, Here());
  const std::optional<HostErrors> errors = KeepHostErrors(endpoint());
  const Deadline deadline(settings_.clock, settings_.options.timeout);
  ASSIGN_OR_RETURN(const base::WipingString message,
                   GetRequest(settings_.options, path));
  return Exchange(*state, message, /*repeatable=*/true, deadline);
}

base::Result<Response> Client::Exchange(ProcessState& state,
                                        std::string_view message,
                                        bool repeatable,
                                        const Deadline& deadline) {
  std::unique_ptr<Stream> stream = state.pool().Take(deadline);
  if (stream != nullptr) {
    Attempt first = Ask(*stream, message, deadline);
    if (first.keep) {
      state.pool().Keep(std::move(stream));
    }
    // A server may close an idle connection just as we use it again. That alone
    // is a reason to try once more, and only where twice does no harm.
    const bool again = !first.response.has_value() &&
                       first.response.error().code == ErrorCode::kIo &&
                       !first.answered && (repeatable || !first.sent);
    if (!again) {
      return std::move(first.response);
    }
  }
  ASSIGN_OR_RETURN(stream, state.Connect(deadline));
  Attempt only = Ask(*stream, message, deadline);
  if (only.keep) {
    state.pool().Keep(std::move(stream));
  }
  return std::move(only.response);
}

}  // namespace kms::client
