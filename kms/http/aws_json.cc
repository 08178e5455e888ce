// SPDX-License-Identifier: Apache-2.0
#include "kms/http/aws_json.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/sigv4.h"
#include "kms/http/errors.h"

namespace kms::http {
namespace {

namespace asio = boost::asio;

constexpr std::string_view kContentType = "application/x-amz-json-1.1";
constexpr std::array<std::string_view, 2> kAcceptedTypes = {kContentType,
                                                            "application/json"};

base::Status CheckContentType(const HttpRequest& request) {
  ASSIGN_OR_RETURN(const auto type, OnlyHeader(request, "content-type"));
  if (std::ranges::none_of(kAcceptedTypes, [type](std::string_view accepted) {
        return IsMediaType(type, accepted);
      })) {
    return base::Error{base::ErrorCode::kSerialization,
                       "Content-Type must be application/x-amz-json-1.1"};
  }
  return {};
}

// What X-Amz-Target names: "TrentService.Encrypt".
base::Result<ApiDoor::Target> TargetOf(const HttpRequest& request) {
  ASSIGN_OR_RETURN(std::string_view rest, OnlyHeader(request, "x-amz-target"));
  const std::string_view service = base::CutAt(rest, '.');
  if (service.empty() || rest.empty()) {
    return base::Error{base::ErrorCode::kUnknownOperation, ""};
  }
  return ApiDoor::Target{.service = service,
                         .operation = rest,
                         .signing_name = "kms",
                         .product = "KMS",
                         .body_form = BodyForm::kJson,
                         .form = CheckContentType(request)};
}

// Takes the body out of `outcome`.
HttpResponse ResponseOf(ApiDoor::Outcome& outcome) {
  HttpResponse response;
  response.content_type = kContentType;
  response.extra_headers.reserve(64);
  response.extra_headers.append("x-amzn-RequestId: ")
      .append(outcome.request_id)
      .append("\r\n");
  if (outcome.reply) {
    response.body = std::move(outcome.reply->body);
  } else {
    response.status = AwsErrorOf(outcome.reply.error().code).json.status;
    AppendErrorBody(outcome.reply.error(), response.body);
  }
  return response;
}

}  // namespace

asio::awaitable<HttpResponse> AwsJsonDoor::Handle(const HttpRequest& request) {
  const base::Result<ApiDoor::Target> target = TargetOf(request);
  ApiDoor::Outcome outcome = co_await api_.Handle(request, target);
  co_return ResponseOf(outcome);
}

}  // namespace kms::http
