// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/client_kms.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace pkcs11::module {

base::Result<std::unique_ptr<ClientKms>> ClientKms::Create(
    kms::client::Options options, const base::Clock& clock) {
  ASSIGN_OR_RETURN(auto client,
                   kms::client::Client::Create(std::move(options), clock));
  return std::unique_ptr<ClientKms>(new ClientKms(std::move(client)));
}

base::Result<base::Json> ClientKms::Call(std::string_view operation,
                                         const base::Json& request) {
  ASSIGN_OR_RETURN(const kms::client::Response response,
                   client_->Call(operation, request.dump()));
  if (response.body.empty()) {
    return base::Json::object();  // "TagResource" answers with nothing.
  }
  ASSIGN_OR_RETURN(base::Json reply, base::ParseJson(response.body));
  if (!reply.is_object()) {
    return base::Error{base::ErrorCode::kCorrupt,
                       "the server's reply is no JSON object"};
  }
  return reply;
}

}  // namespace pkcs11::module
