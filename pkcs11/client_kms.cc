// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/client_kms.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "kms/client/errors.h"
#include "pkcs11/fork_gate.h"

namespace pkcs11 {
namespace {

// "AccessDeniedException: ... (Sign with arn:aws:kms:..., request 1234)".
base::Error Explain(const kms::client::Response& response,
                    std::string_view operation, const base::Json& request) {
  base::Error error = kms::client::ErrorOf(response);
  std::string context(operation);
  if (const auto key = TextMember(request, "KeyId")) {
    context += fmt::format(" with {}", *key);
  }
  if (!response.request_id.empty()) {
    context += fmt::format(", request {}", response.request_id);
  }
  error.message += fmt::format(" ({})", context);
  return error;
}

}  // namespace

base::Result<std::unique_ptr<ClientKms>> ClientKms::Create(
    kms::client::Options options, const base::Clock& clock) {
  ASSIGN_OR_RETURN(auto client,
                   kms::client::Client::Create(std::move(options), clock));
  return std::unique_ptr<ClientKms>(new ClientKms(std::move(client)));
}

base::Result<kms::client::Response> ClientKms::Send(std::string_view operation,
                                                    std::string_view request) {
  const OutsideForkGate outside;
  return client_->Send(operation, request);
}

base::Result<base::Json> ClientKms::Call(std::string_view operation,
                                         const base::Json& request) {
  ASSIGN_OR_RETURN(const kms::client::Response response,
                   Send(operation, request.dump()));
  if (response.status != 200) {
    last_failure_.store(response.status);
    return Explain(response, operation, request);
  }
  if (response.body.empty()) {
    return base::Json::object();  // "TagResource" answers with nothing.
  }
  base::Result<base::Json> reply = base::ParseJson(response.body);
  if (!reply.has_value() || !reply->is_object()) {
    return base::Error{base::ErrorCode::kCorrupt,
                       "the server's reply is no JSON object"};
  }
  return reply;
}

}  // namespace pkcs11
