// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/client_pool.h"

#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "pkcs11/module/state_lock.h"

namespace pkcs11::module {
namespace {

using kms::client::Client;
using kms::client::Options;

// Connections that wait for work; more are closed after their call.
constexpr std::size_t kMaxIdle = 16;

constexpr int kRetries = 3;
constexpr std::chrono::milliseconds kFirstPause{50};

Options CopyOf(const Options& options) {
  Options copy;
  copy.endpoint = options.endpoint;
  copy.region = options.region;
  copy.ca_file = options.ca_file;
  copy.connect_timeout = options.connect_timeout;
  copy.timeout = options.timeout;
  if (options.credentials.has_value()) {
    const base::SigV4Credentials& from = *options.credentials;
    copy.credentials.emplace(base::SigV4Credentials{
        from.access_key_id,
        base::Secret::CopyOf(from.secret_access_key.Reveal()),
        from.session_token});
  }
  return copy;
}

}  // namespace

void SleepFor(std::chrono::milliseconds time) {
  std::this_thread::sleep_for(time);
}

base::Result<std::unique_ptr<ClientPool>> ClientPool::Create(
    Options options, const base::Clock& clock, Pause pause) {
  std::unique_ptr<ClientPool> pool(
      new ClientPool(std::move(options), clock, std::move(pause)));
  // The first client tells whether the options can work.
  ASSIGN_OR_RETURN(ClientOwner client, pool->Take());
  pool->PutBack(std::move(client));
  return pool;
}

base::Result<base::Json> ClientPool::Call(std::string_view operation,
                                          const base::Json& request) {
  const auto text = request.dump();
  base::Result<kms::client::Response> response = CallOnce(operation, text);
  std::chrono::milliseconds wait = kFirstPause;
  for (int i = 0; i < kRetries && !response.has_value() &&
                  response.error().code == base::ErrorCode::kThrottled;
       ++i) {
    // Not all at the same moment again: half of it by chance, which the clock
    // has enough of.
    const auto chance = clock_.Monotonic().count() % (wait.count() / 2);
    pause_(wait / 2 + std::chrono::milliseconds(chance));
    response = CallOnce(operation, text);
    wait *= 2;
  }
  if (!response.has_value()) {
    return std::move(response).error();
  }
  if (response->body.empty()) {
    return base::Json::object();  // "TagResource" answers with nothing.
  }
  ASSIGN_OR_RETURN(base::Json reply, base::ParseJson(response->body));
  if (!reply.is_object()) {
    return base::Error{base::ErrorCode::kCorrupt,
                       "the server's reply is no JSON object"};
  }
  return reply;
}

base::Result<kms::client::Response> ClientPool::CallOnce(
    std::string_view operation, std::string_view request) {
  ASSIGN_OR_RETURN(ClientOwner client, Take());
  base::Result<kms::client::Response> response =
      client->Call(operation, request);
  PutBack(std::move(client));
  return response;
}

base::Result<ClientPool::ClientOwner> ClientPool::Take() {
  {
    const StateLock lock;
    if (!idle_.empty()) {
      ClientOwner client = std::move(idle_.back());
      idle_.pop_back();
      return client;
    }
  }
  return Client::Create(CopyOf(options_), clock_);
}

// What finds no room is closed on return: parameters go after the lock.
void ClientPool::PutBack(ClientOwner client) {
  const StateLock lock;
  if (idle_.size() < kMaxIdle) {
    idle_.push_back(std::move(client));
  }
}

}  // namespace pkcs11::module
