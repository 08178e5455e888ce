// SPDX-License-Identifier: Apache-2.0
#include "kms/http/xks_door.h"

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
#include "kms/http/reply.h"
#include "kms/http/server.h"

namespace kms::http {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;

constexpr std::string_view kPing = "/ping";
constexpr std::chrono::seconds kLogInterval{1};
constexpr std::size_t kSecretSize = 43;
constexpr std::array<std::string_view, 1> kServices = {"kms-xks-proxy"};

// Takes the body out of `reply`.
HttpResponse ResponseOf(base::Result<base::WipingString>& reply) {
  HttpResponse response;
  response.content_type = "application/json";
  if (reply) {
    response.body = *std::move(reply);
  } else {
    response.status = xks::ErrorRowOf(reply.error().code).status;
    xks::WriteError(reply.error(), response.body);
  }
  return response;
}

HttpResponse WrongMethod(std::string_view allowed) {
  HttpResponse response = PlainText(405, "this path does not take this method");
  response.extra_headers.append("Allow: ").append(allowed).append("\r\n");
  return response;
}

Error NoSuchPath() {
  return {ErrorCode::kUnknownOperation,
          "there is no such path, or no such prefix"};
}

Error TooLarge() {
  return {ErrorCode::kUnsupportedOperation,
          "the body is larger than what this proxy takes"};
}

// One text for everything that a stranger could try.
Error NotSigned() {
  return {ErrorCode::kInvalidSignature,
          "the request is not signed by a credential of this prefix"};
}

base::Secret RandomSecret() {
  base::Secret secret(kSecretSize);
  base::RandomBytes(secret.Reveal());
  return secret;
}

// Counts a request from here to the end of its coroutine.
class Counted {
 public:
  explicit Counted(std::size_t& count) : count_(count) { ++count_; }
  ~Counted() { --count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::size_t& count_;
};

}  // namespace

XksDoor::XksDoor(xks::Proxy& proxy, const xks::TenantSource& tenants,
                 xks::Quotas& quotas, Metrics& metrics,
                 const base::Clock& clock, std::size_t most_in_flight)
    : proxy_(proxy),
      tenants_(tenants),
      quotas_(quotas),
      metrics_(metrics),
      clock_(clock),
      most_in_flight_(most_in_flight),
      nobody_(RandomSecret()),
      log_limit_(clock, kLogInterval) {}

HttpResponse XksDoor::Ping(const HttpRequest& request) {
  if (request.target != kPing) {
    return PlainText(404, "GET /ping");
  }
  return request.method == "GET" ? PlainText(200, "pong") : WrongMethod("GET");
}

HttpResponse XksDoor::Refuse(const Refusal& refusal) {
  if (refusal.status != 413) {
    return RefuseInPlainText(refusal);
  }
  base::Result<base::WipingString> none = TooLarge();
  return ResponseOf(none);
}

asio::awaitable<HttpResponse> XksDoor::Handle(const HttpRequest& request) {
  if (request.target == kPing) {
    co_return Ping(request);
  }
  const std::optional<xks::Route> route = xks::ParseTarget(request.target);
  if (!route) {
    base::Result<base::WipingString> none = NoSuchPath();
    co_return ResponseOf(none);
  }
  const Counted counted(in_flight_);
  const base::MonotonicTime start = clock_.Monotonic();
  base::Result<base::WipingString> reply = NoSuchPath();
  if (tenants_.current()->FindByPrefix(route->prefix) != nullptr) {
    if (request.method != "POST") {
      co_return WrongMethod("POST");
    }
    reply = co_await Call(request, *route);
  }
  metrics_.CountRequest(
      xks::MetricName(route->operation),
      reply ? std::nullopt : std::optional(reply.error().code),
      clock_.Monotonic() - start);
  co_return ResponseOf(reply);
}

asio::awaitable<base::Result<base::WipingString>> XksDoor::Call(
    const HttpRequest& request, const xks::Route& route) {
  if (in_flight_ > most_in_flight_) {
    co_return Error{ErrorCode::kThrottled, "too many requests at once"};
  }
  if (request.body.size() > kMostBody) {
    co_return TooLarge();
  }
  // Kept while the request runs: it views the tenant.
  const std::shared_ptr<const xks::Tenants> tenants = tenants_.current();
  const xks::Tenant* const tenant = tenants->FindByPrefix(route.prefix);
  if (tenant == nullptr) {
    co_return NoSuchPath();
  }
  // What has changed may be that a credential or a key is no longer good.
  if (tenants_.is_behind()) {
    co_return Error{ErrorCode::kInternal, "the tenants cannot be read"};
  }
  const auto claim = Authenticate(request, *tenant, tenants->revision());
  if (!claim) {
    NoteFailure(request, claim.error());
    co_return NotSigned();
  }
  CO_RETURN_IF_ERROR(quotas_.Take(tenant->settings));
  const xks::Request call{
      .tenant = *tenant,
      .operation = route.operation,
      .key_id = route.key_id,
      .access_key_id = claim->access_key_id,
      .region = claim->region,
      .source_address = request.peer.address,
      .user_agent = request.Header("user-agent").value_or(""),
      .body = request.body,
  };
  try {
    co_return co_await proxy_.Handle(call);
  } catch (const std::exception& exception) {
    // We throw nothing; this is for what the libraries below do. Their texts
    // may quote what they were working on: only the type is told.
    co_return Error{
        ErrorCode::kInternal,
        std::string("caught an exception of type ") + typeid(exception).name()};
  }
}

base::Result<base::SigV4Authorization> XksDoor::Authenticate(
    const HttpRequest& request, const xks::Tenant& tenant,
    std::uint64_t generation) {
  const base::SigV4Request signed_part = {
      .method = request.method,
      .path = request.target,
      .query = {},
      .headers = request.headers,
      .payload_sha256 = hasher_.Sha256(base::AsBytes(request.body))};
  ASSIGN_OR_RETURN(
      const base::SigV4Authorization claim,
      base::ReadAuthorization(signed_part, kServices, clock_.Now()));
  if (claim.region.empty()) {
    return Error{ErrorCode::kInvalidSignature, "signed for no Region"};
  }
  const std::vector<std::string>& regions = tenant.settings.regions;
  if (!regions.empty() &&
      std::ranges::find(regions, claim.region) == regions.end()) {
    return Error{ErrorCode::kInvalidSignature,
                 "signed in a Region that the tenant does not allow"};
  }
  const xks::SecretPtr secret = tenant.FindSecret(claim.access_key_id);
  if (secret == nullptr) {
    // Takes as long as a wrong signature of a known credential.
    RETURN_IF_ERROR(verifier_.Check(signed_part, claim, nobody_));
    return Error{ErrorCode::kInvalidSignature, "an unknown access key id"};
  }
  RETURN_IF_ERROR(verifier_.Check(signed_part, claim, *secret, generation));
  return claim;
}

void XksDoor::NoteFailure(const HttpRequest& request,
                          const base::Error& error) {
  metrics_.CountAuthenticationFailure(error.code);
  if (const auto passed_over = log_limit_.Count()) {
    base::LogWarning(
        "xks: unauthenticated request from {}: {} ({} more not "
        "logged)",
        request.peer.address, error.message, *passed_over);
  }
}

}  // namespace kms::http
