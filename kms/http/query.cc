// SPDX-License-Identifier: Apache-2.0
#include "kms/http/query.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/log.h"
#include "kms/form.h"
#include "kms/http/errors.h"
#include "kms/http/xml.h"

namespace kms::http {
namespace {

namespace asio = boost::asio;

constexpr std::string_view kFormType = "application/x-www-form-urlencoded";
// AWS's, of errors that belong to no API.
constexpr std::string_view kFaultXmlns =
    "http://webservices.amazon.com/AWSFault/2005-15-09";
// Whoever calls this has a token of an identity provider, and no access key.
constexpr std::string_view kUnsignedAction = "AssumeRoleWithWebIdentity";
constexpr std::size_t kLongestAction = 128;  // And of what is repeated.

struct Api {
  std::string_view version;
  std::string_view service;  // Also the product's name.
  std::string_view signing_name;
  std::string_view xmlns;
};

constexpr std::array kApis = {
    Api{"2010-05-08", "IAM", "iam",
        "https://iam.amazonaws.com/doc/2010-05-08/"},
    Api{"2011-06-15", "STS", "sts",
        "https://sts.amazonaws.com/doc/2011-06-15/"},
};

// What a form asks for. `api` is nullptr if it is none of ours. Borrows from
// the form.
struct Question {
  std::string_view action;
  std::string_view version = "NO_VERSION_SPECIFIED";  // AWS's word for none.
  const Api* api = nullptr;
};

Question QuestionOf(const Form& form) {
  Question question;
  question.action = ParameterOf(form, "Action").value_or(question.action);
  question.version = ParameterOf(form, "Version").value_or(question.version);
  const auto* const api =
      std::ranges::find(kApis, question.version, &Api::version);
  question.api = api == kApis.end() ? nullptr : api;
  return question;
}

base::Error UnknownAction(const Question& question) {
  return {base::ErrorCode::kUnknownOperation,
          "Could not find operation " +
              std::string(question.action.substr(0, kLongestAction)) +
              " for version " +
              std::string(question.version.substr(0, kLongestAction))};
}

base::Status CheckHeader(const HttpRequest& request) {
  ASSIGN_OR_RETURN([[maybe_unused]] const auto type,
                   OnlyHeader(request, "content-type"));
  return {};
}

base::Result<ApiDoor::Target> TargetOf(const Question& question,
                                       const HttpRequest& request) {
  // The reply is named after the operation.
  if (question.api == nullptr || question.action.size() > kLongestAction ||
      !IsXmlName(question.action)) {
    return UnknownAction(question);
  }
  return ApiDoor::Target{.service = question.api->service,
                         .operation = question.action,
                         .signing_name = question.api->signing_name,
                         .product = question.api->service,
                         .body_form = BodyForm::kQuery,
                         .is_anonymous = question.action == kUnsignedAction,
                         .form = CheckHeader(request)};
}

// <CreateUserResponse xmlns="..."><CreateUserResult>...</CreateUserResult>
// <ResponseMetadata>...</ResponseMetadata></CreateUserResponse>
base::Status AppendReply(const Reply& reply, const Question& question,
                         std::string_view request_id, base::WipingString& out) {
  const std::string_view action = question.action;
  out.append("<").append(action).append("Response xmlns=\"");
  out.append(question.api->xmlns).append("\">");
  if (!reply.body.empty()) {
    ASSIGN_OR_RETURN(const base::Json body, base::ParseJson(reply.body));
    out.append("<").append(action).append("Result>");
    RETURN_IF_ERROR(AppendXmlMembers(body, out));
    out.append("</").append(action).append("Result>");
  }
  out.append("<ResponseMetadata>");
  AppendXmlElement("RequestId", request_id, out);
  out.append("</ResponseMetadata></").append(action).append("Response>");
  return {};
}

HttpResponse EmptyResponse(const std::string& request_id) {
  HttpResponse response;
  response.content_type = "text/xml";
  response.extra_headers = "x-amzn-RequestId: " + request_id + "\r\n";
  return response;
}

HttpResponse ErrorResponse(const base::Error& error, const Question& question,
                           const std::string& request_id) {
  HttpResponse response = EmptyResponse(request_id);
  response.status = AwsErrorOf(error.code).query.status;
  const bool is_nameless =
      error.code == base::ErrorCode::kUnknownOperation && error.message.empty();
  AppendQueryError(is_nameless ? UnknownAction(question) : error,
                   question.api == nullptr ? kFaultXmlns : question.api->xmlns,
                   request_id, response.body);
  return response;
}

HttpResponse ResponseOf(const ApiDoor::Outcome& outcome,
                        const Question& question) {
  if (!outcome.reply) {
    return ErrorResponse(outcome.reply.error(), question, outcome.request_id);
  }
  HttpResponse response = EmptyResponse(outcome.request_id);
  const base::Status written =
      AppendReply(*outcome.reply, question, outcome.request_id, response.body);
  if (!written) {
    // What the operation did is done and recorded; only its answer is lost.
    base::LogError("request {} ({}): the reply cannot be written: {}",
                   outcome.request_id, question.action,
                   written.error().message);
    return ErrorResponse({base::ErrorCode::kInternal, ""}, question,
                         outcome.request_id);
  }
  return response;
}

}  // namespace

bool QueryDoor::Takes(const HttpRequest& request) {
  return IsMediaType(request.Header("content-type").value_or(""), kFormType);
}

asio::awaitable<HttpResponse> QueryDoor::Handle(const HttpRequest& request) {
  const base::Result<Form> form = ParseForm(request.body);
  const Question question = form ? QuestionOf(*form) : Question();
  base::Result<ApiDoor::Target> target = TargetOf(question, request);
  if (!form) {
    target = form.error();
  }
  const ApiDoor::Outcome outcome = co_await api_.Handle(request, target);
  co_return ResponseOf(outcome, question);
}

}  // namespace kms::http
