// SPDX-License-Identifier: Apache-2.0
#include "kms/http/router.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "kms/http/reply.h"

namespace kms::http {
namespace {

namespace asio = boost::asio;

HttpResponse WrongMethod(std::string_view allowed) {
  HttpResponse response = PlainText(405, "this path does not take this method");
  response.extra_headers.append("Allow: ").append(allowed).append("\r\n");
  return response;
}

asio::awaitable<HttpResponse> Return(HttpResponse response) {
  co_return response;
}

}  // namespace

asio::awaitable<HttpResponse> Router::Handle(const HttpRequest& request) {
  if (request.method == "POST" && request.target == "/") {
    return QueryDoor::Takes(request) ? query_.Handle(request)
                                     : json_.Handle(request);
  }
  return Return(Look(request));
}

HttpResponse Router::Look(const HttpRequest& request) const {
  using Show = HttpResponse (Router::*)() const;
  constexpr std::array<std::pair<std::string_view, Show>, 3> kViews = {{
      {"/metrics", &Router::ShowMetrics},
      {"/healthz", &Router::ShowHealth},
      {"/readyz", &Router::ShowReadiness},
  }};
  if (request.target == "/") {
    return WrongMethod("POST");
  }
  const auto* const view = std::find_if(
      kViews.begin(), kViews.end(),
      [&](const auto& row) { return row.first == request.target; });
  if (view == kViews.end() ||
      (request.door == Door::kHttps && observers_ == Observers::kLocal)) {
    return PlainText(404, "nothing is served at this path; the API is at /");
  }
  if (request.method != "GET" && request.method != "HEAD") {
    return WrongMethod("GET, HEAD");  // The connection omits HEAD's body.
  }
  return (this->*view->second)();
}

HttpResponse Router::ShowMetrics() const {
  HttpResponse response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body.append(metrics_.Text());
  return response;
}

HttpResponse Router::ShowHealth() const { return PlainText(200, "ok"); }

HttpResponse Router::ShowReadiness() const {
  const base::Status ready = service_.Ready();
  return ready ? PlainText(200, "ready")
               : PlainText(503, ready.error().message);
}

}  // namespace kms::http
