// SPDX-License-Identifier: Apache-2.0
#include "kms/client/client.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "kms/client/errors.h"
#include "kms/client/request.h"
#include "kms/client/socket.h"

namespace kms::client {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kReadBytes = 16U << 10;

base::Status CheckCredentials(const Options& options) {
  if (options.endpoint.transport == Transport::kUnix ||
      options.credentials.has_value()) {
    return {};
  }
  return Error{ErrorCode::kInvalidArgument,
               "requests to " + Describe(options.endpoint) +
                   " must be signed: set AWS_ACCESS_KEY_ID and "
                   "AWS_SECRET_ACCESS_KEY, or add an access key to your "
                   "profile in ~/.aws/credentials"};
}

}  // namespace

base::Result<std::unique_ptr<Client>> Client::Create(Options options,
                                                     const base::Clock& clock) {
  RETURN_IF_ERROR(CheckCredentials(options));
  RETURN_IF_ERROR(CheckHeaderValues(options));
  ASSIGN_OR_RETURN(LibraryContext library, LibraryContext::Create());
  std::optional<TlsContext> tls;
  if (options.endpoint.transport == Transport::kHttps) {
    ASSIGN_OR_RETURN(const Authorities authorities,
                     Authorities::Read(options.ca_file));
    ASSIGN_OR_RETURN(tls, TlsContext::Create(library, authorities));
  }
  return std::unique_ptr<Client>(new Client(
      std::move(options), clock, std::move(library), std::move(tls)));
}

Client::Client(Options options, const base::Clock& clock,
               LibraryContext library, std::optional<TlsContext> tls)
    : options_(std::move(options)),
      clock_(clock),
      library_(std::move(library)),
      tls_(std::move(tls)),
      hasher_(library_.get()) {
  if (options_.endpoint.transport != Transport::kUnix) {
    signer_.emplace(hasher_, *std::move(options_.credentials), options_.region,
                    "kms");
    options_.credentials.reset();
  }
}

base::Result<Response> Client::Call(std::string_view operation,
                                    std::string_view request) {
  ASSIGN_OR_RETURN(
      const base::WipingString message,
      CallRequest(options_, operation, request,
                  {signer_ ? &*signer_ : nullptr, hasher_, clock_.Now()}));
  ASSIGN_OR_RETURN(Response response,
                   Exchange(message, IsRepeatable(operation)));
  if (response.status != 200) {
    return ErrorOf(response);
  }
  return response;
}

base::Result<Response> Client::Get(std::string_view path) {
  ASSIGN_OR_RETURN(const base::WipingString message,
                   GetRequest(options_, path));
  return Exchange(message, /*repeatable=*/true);
}

base::Result<Response> Client::Exchange(std::string_view message,
                                        bool repeatable) {
  const Deadline deadline(clock_, options_.timeout);
  std::optional<HostErrors> errors;
  if (tls_.has_value()) {
    errors.emplace();
  }
  DropUnusableStream(deadline);
  const bool reused = stream_ != nullptr;
  base::Result<Response> response = Attempt(message, deadline);
  if (response.has_value()) {
    return response;
  }
  // A server may close an idle connection just as we use it again. That alone
  // is a reason to try once more, and only where twice does no harm.
  const bool sent = stream_ != nullptr && stream_->HasSent();
  const bool again = reused && !answered_ && (repeatable || !sent) &&
                     response.error().code == ErrorCode::kIo;
  stream_.reset();
  if (again) {
    response = Attempt(message, deadline);
    if (!response.has_value()) {
      stream_.reset();
    }
  }
  return response;
}

// What a fork left us is our parent's; what has been closed, or holds bytes
// that nobody asked for, must not carry a request.
void Client::DropUnusableStream(const Deadline& deadline) {
  if (stream_ != nullptr &&
      (owner_ != getpid() || !stream_->IsQuiet(deadline))) {
    stream_.reset();
  }
}

base::Result<Response> Client::Attempt(std::string_view message,
                                       const Deadline& deadline) {
  answered_ = false;
  if (stream_ == nullptr) {
    RETURN_IF_ERROR(Connect());
  }
  stream_->ForgetSent();
  RETURN_IF_ERROR(stream_->Write(base::AsBytes(message), deadline));
  return ReadResponse(deadline);
}

base::Status Client::Connect() {
  const Deadline deadline(clock_,
                          std::min(options_.connect_timeout, options_.timeout));
  ASSIGN_OR_RETURN(Socket socket,
                   Socket::Connect(options_.endpoint, deadline, descriptors_));
  if (tls_.has_value()) {
    ASSIGN_OR_RETURN(stream_, tls_->Connect(std::move(socket),
                                            options_.endpoint.host, deadline));
  } else {
    stream_ = std::make_unique<Socket>(std::move(socket));
  }
  owner_ = getpid();
  return {};
}

base::Result<Response> Client::ReadResponse(const Deadline& deadline) {
  ResponseParser parser;
  base::WipingBytes buffer(kReadBytes);
  while (!parser.Done()) {
    ASSIGN_OR_RETURN(const std::size_t got, stream_->Read(buffer, deadline));
    if (got == 0) {
      return Error{ErrorCode::kIo,
                   parser.Started()
                       ? "the server closed the connection within its reply"
                       : "the server closed the connection without a reply"};
    }
    answered_ = true;
    ASSIGN_OR_RETURN(const std::size_t used,
                     parser.Feed(base::ByteView(buffer).first(got)));
    if (used != got) {
      return Error{ErrorCode::kCorrupt,
                   "malformed reply: bytes follow where it ends"};
    }
  }
  if (!parser.KeepAlive()) {
    stream_.reset();
  }
  return std::move(parser).Take();
}

}  // namespace kms::client
