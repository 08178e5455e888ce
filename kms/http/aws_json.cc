// SPDX-License-Identifier: Apache-2.0
#include "kms/http/aws_json.h"

#include <algorithm>
#include <array>
#include <exception>
#include <optional>
#include <string>
#include <typeinfo>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "base/sigv4.h"
#include "kms/http/errors.h"

namespace kms::http {
namespace {

namespace asio = boost::asio;

constexpr std::string_view kContentType = "application/x-amz-json-1.1";
constexpr std::array<std::string_view, 2> kAcceptedTypes = {kContentType,
                                                            "application/json"};
constexpr std::chrono::seconds kLogInterval{1};

// The value of a header that may come once; the error is empty of text where
// AWS's is.
base::Result<std::string_view> OnlyHeader(const HttpRequest& request,
                                          std::string_view name) {
  std::optional<std::string_view> value;
  for (const base::HeaderView& header : request.headers) {
    if (header.name == name && std::exchange(value, header.value)) {
      return base::Error{base::ErrorCode::kSerialization,
                         "the header " + std::string(name) + " comes twice"};
    }
  }
  return value.value_or("");
}

bool IsAcceptedType(std::string_view content_type) {
  std::string_view type = base::CutAt(content_type, ';');
  while (type.ends_with(' ')) {
    type.remove_suffix(1);
  }
  return std::any_of(kAcceptedTypes.begin(), kAcceptedTypes.end(),
                     [type](std::string_view accepted) {
                       return base::IsHeader(type, accepted);
                     });
}

// Takes the body out of `reply`.
HttpResponse ResponseOf(base::Result<Reply>& reply, const std::string& id) {
  HttpResponse response;
  response.content_type = kContentType;
  response.extra_headers = "x-amzn-RequestId: " + id + "\r\n";
  if (reply) {
    response.body = std::move(reply->body);
  } else {
    response.status = AwsErrorOf(reply.error().code).status;
    AppendErrorBody(reply.error(), response.body);
  }
  return response;
}

}  // namespace

// Counts a request from here to the end of its coroutine.
class AwsJsonDoor::InFlight {
 public:
  explicit InFlight(AwsJsonDoor& door) : door_(door) {
    ++door_.in_flight_;
    door_.metrics_.AddInFlight(1);
  }
  ~InFlight() {
    --door_.in_flight_;
    door_.metrics_.AddInFlight(-1);
  }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

 private:
  AwsJsonDoor& door_;
};

AwsJsonDoor::AwsJsonDoor(Service& service,
                         const identity::DirectorySource& directory,
                         identity::SessionOpener& sessions, Metrics& metrics,
                         const base::Clock& clock, Options options)
    : service_(service),
      metrics_(metrics),
      clock_(clock),
      most_in_flight_(options.most_in_flight),
      authenticator_(directory, sessions, clock, std::move(options.local)),
      log_limit_(clock, kLogInterval) {}

asio::awaitable<HttpResponse> AwsJsonDoor::Handle(const HttpRequest& request) {
  const base::MonotonicTime start = clock_.Monotonic();
  const InFlight in_flight(*this);
  const std::string request_id = base::NewUuidText();
  const base::Result<Target> target = TargetOf(request);
  base::Result<Reply> reply = Reply();
  if (target) {
    reply = co_await Call(request, *target, request_id);
  } else {
    reply = target.error();
  }

  const std::string_view operation = target ? target->operation : "";
  std::optional<base::ErrorCode> error;
  if (!reply) {
    error = reply.error().code;
    if (!AwsErrorOf(*error).fixed_message.empty()) {
      base::LogError("request {} ({}): {} ({}:{})", request_id,
                     metrics_.Label(operation), reply.error().message,
                     reply.error().file, reply.error().line);
    }
  }
  metrics_.CountRequest(operation, error, clock_.Monotonic() - start);
  co_return ResponseOf(reply, request_id);
}

asio::awaitable<base::Result<Reply>> AwsJsonDoor::Call(
    const HttpRequest& request, Target target, std::string_view request_id) {
  CO_RETURN_IF_ERROR(CheckForm(request));
  CO_ASSIGN_OR_RETURN(const Identity identity, Authenticate(request));
  const Request call{
      .service = target.service,
      .operation = target.operation,
      .body = request.body,
      .region = identity.region,
      .caller = *identity.caller,
      .source_address = request.peer.address,
      .user_agent = request.Header("user-agent").value_or(""),
      .request_id = request_id,
      .door = request.door,
  };
  try {
    co_return co_await service_.Handle(call);
  } catch (const std::exception& exception) {
    // We throw nothing; this is for what the libraries below do. Their texts
    // may quote what they were working on: only the type is told.
    co_return base::Error{
        base::ErrorCode::kInternal,
        std::string("caught an exception of type ") + typeid(exception).name()};
  }
}

base::Result<AwsJsonDoor::Target> AwsJsonDoor::TargetOf(
    const HttpRequest& request) {
  ASSIGN_OR_RETURN(std::string_view rest, OnlyHeader(request, "x-amz-target"));
  const std::string_view service = base::CutAt(rest, '.');
  if (service.empty() || rest.empty()) {
    return base::Error{base::ErrorCode::kUnknownOperation, ""};
  }
  return Target{.service = service, .operation = rest};
}

base::Status AwsJsonDoor::CheckForm(const HttpRequest& request) const {
  if (in_flight_ > most_in_flight_) {
    return base::Error{base::ErrorCode::kThrottled,
                       "You have exceeded the rate at which you may call KMS. "
                       "Reduce the frequency of your calls."};
  }
  ASSIGN_OR_RETURN(const auto type, OnlyHeader(request, "content-type"));
  if (!IsAcceptedType(type)) {
    return base::Error{base::ErrorCode::kSerialization,
                       "Content-Type must be application/x-amz-json-1.1"};
  }
  return {};
}

base::Result<Identity> AwsJsonDoor::Authenticate(const HttpRequest& request) {
  base::Result<Identity> identity = authenticator_.Authenticate(request, "kms");
  if (!identity && identity.error().code != base::ErrorCode::kValidation) {
    const base::Error& error = identity.error();
    metrics_.CountAuthenticationFailure(error.code);
    if (const auto passed_over = log_limit_.Count()) {
      base::LogWarning(
          "unauthenticated request from {}: {} {} ({} more not logged)",
          request.peer.address, AwsErrorOf(error.code).type, error.message,
          *passed_over);
    }
  }
  return identity;
}

}  // namespace kms::http
