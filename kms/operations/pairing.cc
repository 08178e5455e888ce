// SPDX-License-Identifier: Apache-2.0
// How the token of one key store comes to share the wrapping keys of another.
// docs/pairing.md, "Two tokens that share keys", tells it to operators.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "hsm/client/call_on.h"
#include "kms/json_writer.h"
#include "kms/operations/handlers.h"
#include "kms/operations/outbox.h"
#include "kms/operations/service_event.h"
#include "kms/operations/service_keys.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;

// A token of a key store.
struct Place {
  KeyStore& key_store;
  std::string token;
};

base::Result<KeyStore*> NamedBy(Call& call, std::string_view member) {
  const std::string_view name = *call.Text(member);
  auto found = call.environment.key_stores.Find(name);
  if (!found) {
    return Error{
        ErrorCode::kValidation,
        fmt::format("{}: this server has no key store '{}'.", member, name)};
  }
  return found;
}

// Where a member and one more say: the key store's own token, if that is
// absent.
base::Result<Place> PlaceOf(Call& call, std::string_view key_store,
                            std::string_view token) {
  ASSIGN_OR_RETURN(KeyStore* const found, NamedBy(call, key_store));
  std::string name(call.Text(token).value_or(hsm::client::kHomeToken));
  const auto tokens = found->hsm.Tokens();
  if (std::ranges::find(tokens, name, &hsm::client::TokenStatus::name) ==
      tokens.end()) {
    return Error{ErrorCode::kValidation,
                 fmt::format("{}: key store '{}' has no token '{}'.", token,
                             found->name, name)};
  }
  return Place{*found, std::move(name)};
}

// The keys that wrap in `key_store`; kInvalidArgument if there is none.
base::Result<std::vector<store::ServiceKey>> WrappingKeysOf(
    Environment& environment, const KeyStore& key_store) {
  ASSIGN_OR_RETURN(auto keys, environment.store.ListServiceKeys());
  std::erase_if(keys, [&](const store::ServiceKey& key) {
    const auto where = environment.key_stores.Find(key.key_store);
    return key.ref.algorithm != hsm::Algorithm::kAesWrap || !where ||
           *where != &key_store;
  });
  if (keys.empty()) {
    return Error{ErrorCode::kUnsupportedOperation,
                 fmt::format("Key store '{}' has no wrapping key: set "
                             "placement = \"wrapped\" in its table.",
                             key_store.name)};
  }
  return keys;
}

// What the reasons of the token mean to who runs the server.
Error Explained(const KeyStore& source, const Error& error) {
  return {error.code == ErrorCode::kAccessDenied
              ? ErrorCode::kUnsupportedOperation
              : error.code,
          fmt::format("The token of key store '{}' does not share its wrapping "
                      "key: {}.",
                      source.name, error.message)};
}

std::string Fingerprint(base::ByteView public_key) {
  return base::HexEncode(base::ThreadHasher().Sha256(public_key));
}

// Whether the token has the key. One that has it is not given it again.
asio::awaitable<base::Result<bool>> HasAlready(const Place& target,
                                               const store::ServiceKey& key) {
  hsm::CheckKeyRequest request;
  request.key = key.ref;
  const auto used =
      co_await target.key_store.hsm.CallOn(target.token, std::move(request));
  if (!used && used.error().code != ErrorCode::kNotFound) {
    co_return Error(used.error());
  }
  co_return used.has_value() && used->check_value == key.check_value;
}

// On record before anything leaves a token, with the fingerprint of what the
// security officer had the source trust; the call's own event, after it, says
// how it ended.
asio::awaitable<base::Status> RecordBeginning(Call& call,
                                              const KeyStore& source,
                                              const Place& target,
                                              std::string fingerprint) {
  ServiceStep step = {
      .subject = {.account = call.request.caller.account,
                  .region = std::string(call.request.region),
                  .arn = {}},
      .name = "ShareWrappingKeyStarted",
      .details = {{"keyStore", source.name},
                  {"targetKeyStore", target.key_store.name},
                  {"targetToken", target.token},
                  {"transportKeySha256", std::move(fingerprint)}}};
  auto nothing = [](store::Transaction&) { return base::Status(); };
  CO_ASSIGN_OR_RETURN(store::OutboxEvent event,
                      co_await CommitStep(call.environment, step, nothing));
  co_return co_await AppendCommitted(call.environment, std::move(event));
}

asio::awaitable<base::Status> ShareOne(Call& call, KeyStore& source,
                                       const Place& target,
                                       const store::ServiceKey& key) {
  CO_ASSIGN_OR_RETURN(const bool is_there, co_await HasAlready(target, key));
  if (is_there) {
    co_return base::Status();
  }
  CO_ASSIGN_OR_RETURN(hsm::MakeTransportKeyReply transport,
                      co_await target.key_store.hsm.CallOn(
                          target.token, hsm::MakeTransportKeyRequest{}));
  CO_RETURN_IF_ERROR(co_await RecordBeginning(
      call, source, target, Fingerprint(transport.public_key)));
  hsm::ShareWrappingKeyRequest share;
  share.wrapping_key = key.ref;
  share.check_value = key.check_value;
  share.public_key = std::move(transport.public_key);
  share.hash = transport.hash;
  auto shared = co_await source.hsm.Call(std::move(share));
  if (!shared) {
    co_return Explained(source, shared.error());
  }
  hsm::ReceiveWrappingKeyRequest receive;
  receive.wrapping_key = key.ref;
  receive.check_value = key.check_value;
  receive.wrapped = std::move(shared->wrapped);
  const auto received =
      co_await target.key_store.hsm.CallOn(target.token, std::move(receive));
  co_return received ? base::Status() : base::Error(received.error());
}

}  // namespace

// The public half of the key under which other tokens' wrapping keys come in.
Answer MakeTransportKey(Call& call) {
  CO_ASSIGN_OR_RETURN(const Place target, PlaceOf(call, "KeyStore", "Token"));
  CO_ASSIGN_OR_RETURN(const hsm::MakeTransportKeyReply made,
                      co_await target.key_store.hsm.CallOn(
                          target.token, hsm::MakeTransportKeyRequest{}));
  Reply reply;
  JsonWriter(reply.body)
      .BeginObject()
      .Text("KeyStore", target.key_store.name)
      .Text("Token", target.token)
      .Blob("PublicKey", made.public_key)
      .Text("Sha256", Fingerprint(made.public_key))
      .EndObject();
  co_return reply;
}

// Moves the wrapping keys of one key store to another token: of another key
// store, or a further one of its own.
Answer ShareWrappingKey(Call& call) {
  CO_ASSIGN_OR_RETURN(KeyStore* const source, NamedBy(call, "KeyStore"));
  CO_ASSIGN_OR_RETURN(const Place target,
                      PlaceOf(call, "TargetKeyStore", "TargetToken"));
  if (source == &target.key_store && target.token == hsm::client::kHomeToken) {
    co_return Error{ErrorCode::kValidation,
                    "The target must be another token than that of KeyStore: "
                    "of another key store, or a further one (TargetToken)."};
  }
  CO_ASSIGN_OR_RETURN(const auto keys,
                      WrappingKeysOf(call.environment, *source));
  for (const store::ServiceKey& key : keys) {
    CO_RETURN_IF_ERROR(co_await ShareOne(call, *source, target, key));
  }
  co_return Reply();
}

}  // namespace kms::operations
