// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/login_kms.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "kms/client/request.h"

namespace pkcs11::module {
namespace {

using base::Error;
using base::ErrorCode;
using base::Json;

// Whether an answer is one that only those get whose signature was good: every
// server looks at the signature first. What is not here proves nothing.
bool ProvesIdentity(const base::Result<Json>& answer) {
  return answer.has_value() || answer.error().code == ErrorCode::kNotFound ||
         answer.error().code == ErrorCode::kAccessDenied;
}

}  // namespace

base::Result<Json> LoginKms::Call(std::string_view operation,
                                  const Json& request) {
  const ClientOwner client = Current();
  if (client == nullptr) {
    return Error{ErrorCode::kMissingAuthentication, "nobody is logged in"};
  }
  base::Result<Json> reply = client->Call(operation, request);
  if (!reply.has_value()) {
    Note(*client);
  }
  return reply;
}

base::Status LoginKms::LogIn(base::SigV4Credentials credentials) {
  const std::string access_key_id = credentials.access_key_id;
  if (Current() != nullptr) {
    return Error{ErrorCode::kAlreadyExists, "somebody is logged in"};
  }
  ASSIGN_OR_RETURN(ClientOwner client, Connect(std::move(credentials)));
  const StateLock lock;
  if (client_ != nullptr) {  // Another thread was faster.
    return Error{ErrorCode::kAlreadyExists, "somebody is logged in"};
  }
  client_.swap(client);
  access_key_id_ = access_key_id;
  return {};
}

base::Status LoginKms::CheckLogin(base::SigV4Credentials credentials) {
  {
    const StateLock lock;
    if (client_ == nullptr || access_key_id_ != credentials.access_key_id) {
      return Error{ErrorCode::kUnrecognizedClient,
                   "this is not the access key of who is logged in"};
    }
  }
  RETURN_IF_ERROR(Connect(std::move(credentials)));
  return {};
}

std::shared_ptr<void> LoginKms::LogOut(const StateLock&) {
  access_key_id_.clear();
  return std::exchange(client_, nullptr);
}

void LoginKms::AfterForkInChild() {
  if (client_ != nullptr) {
    client_->AfterForkInChild();
  }
}

base::Result<LoginKms::ClientOwner> LoginKms::Connect(
    base::SigV4Credentials credentials) {
  if (const base::Status good = kms::client::CheckCredentials(credentials);
      !good.has_value()) {
    return Error{ErrorCode::kUnrecognizedClient, good.error().message};
  }
  kms::client::Options options;
  options.endpoint = place_.endpoint;
  options.region = place_.region;
  options.ca_file = place_.ca_file;
  options.credentials = std::move(credentials);
  ASSIGN_OR_RETURN(ClientOwner client,
                   ClientKms::Create(std::move(options), clock_));
  const base::Result<Json> answer = client->Call(
      "DescribeKey", {{"KeyId", base::WipingString(place_.probe_key_id)}});
  if (!ProvesIdentity(answer)) {
    Note(*client);
    return answer.error();
  }
  return client;
}

LoginKms::ClientOwner LoginKms::Current() const {
  const StateLock lock;
  return client_;
}

// The client goes with the logout, what it has seen does not.
void LoginKms::Note(const Kms& client) {
  last_failure_.store(client.LastFailure());
}

}  // namespace pkcs11::module
