// SPDX-License-Identifier: Apache-2.0
#include "kms/http/api_door.h"

#include <exception>
#include <optional>
#include <typeinfo>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "base/sigv4.h"
#include "kms/http/errors.h"
#include "policy/text.h"

namespace kms::http {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kLogInterval{1};
constexpr std::size_t kMostSourceArn = 2048;

// Whom a service acts for, only the service can know, and only it is believed.
base::Result<std::string_view> SourceArnOf(const HttpRequest& request,
                                           const Caller& caller) {
  const auto given = request.Header("x-claviger-source-arn");
  if (!given) {
    return std::string_view();
  }
  if (caller.kind != CallerKind::kService) {
    return base::Error{base::ErrorCode::kValidation,
                       "X-Claviger-Source-Arn is for services, which "
                       "[[service_principal]] names"};
  }
  const auto parts = policy::SplitArn(*given);
  if (!parts || parts->front() != "arn" || given->size() > kMostSourceArn) {
    return base::Error{base::ErrorCode::kValidation,
                       "X-Claviger-Source-Arn must be the ARN of the resource "
                       "for which the service acts, of at most 2048 "
                       "characters"};
  }
  return *given;
}

}  // namespace

// Counts a request from here to the end of its coroutine.
class ApiDoor::InFlight {
 public:
  explicit InFlight(ApiDoor& door) : door_(door) {
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
  ApiDoor& door_;
};

ApiDoor::ApiDoor(Service& service, const identity::DirectorySource& directory,
                 identity::SessionOpener& sessions, Metrics& metrics,
                 const base::Clock& clock, Options options)
    : service_(service),
      metrics_(metrics),
      clock_(clock),
      most_in_flight_(options.most_in_flight),
      authenticator_(directory, sessions, clock, std::move(options.local)),
      log_limit_(clock, kLogInterval) {}

asio::awaitable<ApiDoor::Outcome> ApiDoor::Handle(
    const HttpRequest& request, const base::Result<Target>& target) {
  const base::MonotonicTime start = clock_.Monotonic();
  const InFlight in_flight(*this);
  Outcome outcome = {.request_id = base::NewUuidText(), .reply = Reply()};
  if (target) {
    outcome.reply = co_await Call(request, *target, outcome.request_id);
  } else {
    outcome.reply = target.error();
  }
  Note(outcome, target ? target->operation : "", clock_.Monotonic() - start);
  co_return outcome;
}

void ApiDoor::Note(const Outcome& outcome, std::string_view operation,
                   base::MonotonicTime duration) {
  std::optional<base::ErrorCode> code;
  if (!outcome.reply) {
    const base::Error& error = outcome.reply.error();
    code = error.code;
    if (!AwsErrorOf(error.code).fixed_message.empty()) {
      base::LogError("request {} ({}): {} ({}:{})", outcome.request_id,
                     metrics_.Label(operation), error.message, error.file,
                     error.line);
    }
  }
  metrics_.CountRequest(operation, code, duration);
}

asio::awaitable<base::Result<Reply>> ApiDoor::Call(
    const HttpRequest& request, const Target& target,
    std::string_view request_id) {
  CO_RETURN_IF_ERROR(CheckLoad(target));
  CO_RETURN_IF_ERROR(target.form);
  // Most requests bear no token that has yet to be read.
  if (!target.is_anonymous && authenticator_.MustOpenToken(request)) {
    const base::Status opened =
        co_await authenticator_.OpenToken(request, target.signing_name);
    if (!opened) {
      NoteFailure(request, opened.error());
      co_return base::Error(opened.error());
    }
  }
  CO_ASSIGN_OR_RETURN(const Identity identity, Authenticate(request, target));
  CO_ASSIGN_OR_RETURN(const std::string_view source_arn,
                      SourceArnOf(request, *identity.caller));
  const Request call{
      .service = target.service,
      .operation = target.operation,
      .body = request.body,
      .region = identity.region,
      .caller = *identity.caller,
      .source_address = request.peer.address,
      .user_agent = request.Header("user-agent").value_or(""),
      .referer = request.Header("referer").value_or(""),
      .source_arn = source_arn,
      .request_id = request_id,
      .door = request.door,
      .body_form = target.body_form,
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

base::Status ApiDoor::CheckLoad(const Target& target) const {
  if (in_flight_ > most_in_flight_) {
    return base::Error{base::ErrorCode::kThrottled,
                       "You have exceeded the rate at which you may call " +
                           std::string(target.product) +
                           ". Reduce the frequency of your calls."};
  }
  return {};
}

base::Result<Identity> ApiDoor::Authenticate(const HttpRequest& request,
                                             const Target& target) {
  if (target.is_anonymous) {  // A signature would mean nothing.
    return authenticator_.Anonymous();
  }
  base::Result<Identity> identity =
      authenticator_.Authenticate(request, target.signing_name);
  if (!identity && identity.error().code != base::ErrorCode::kValidation) {
    NoteFailure(request, identity.error());
  }
  return identity;
}

void ApiDoor::NoteFailure(const HttpRequest& request,
                          const base::Error& error) {
  metrics_.CountAuthenticationFailure(error.code);
  if (const auto passed_over = log_limit_.Count()) {
    base::LogWarning(
        "unauthenticated request from {}: {} {} ({} more not logged)",
        request.peer.address, AwsErrorOf(error.code).json.name, error.message,
        *passed_over);
  }
}

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

bool IsMediaType(std::string_view content_type, std::string_view type) {
  std::string_view name = base::CutAt(content_type, ';');
  while (name.ends_with(' ')) {
    name.remove_suffix(1);
  }
  return base::IsHeader(name, type);
}

}  // namespace kms::http
