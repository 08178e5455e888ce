// SPDX-License-Identifier: Apache-2.0
// How the token of one key store comes to share the wrapping keys of another.
// docs/pairing.md, "Two tokens that share keys", tells it to operators.
#include <fmt/format.h>

#include <string>
#include <vector>

#include "base/hash.h"
#include "kms/json_writer.h"
#include "kms/operations/handlers.h"
#include "kms/operations/service_keys.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;

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

asio::awaitable<base::Status> ShareOne(KeyStore& source, KeyStore& target,
                                       const store::ServiceKey& key) {
  CO_ASSIGN_OR_RETURN(const bool is_there, co_await HasServiceKey(target, key));
  if (is_there) {
    co_return base::Status();
  }
  CO_ASSIGN_OR_RETURN(hsm::MakeTransportKeyReply transport,
                      co_await target.hsm.Call(hsm::MakeTransportKeyRequest{}));
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
  const auto received = co_await target.hsm.Call(std::move(receive));
  co_return received ? base::Status() : base::Error(received.error());
}

}  // namespace

// The public half of the key under which other tokens' wrapping keys come in.
Answer MakeTransportKey(Call& call) {
  CO_ASSIGN_OR_RETURN(KeyStore* const target, NamedBy(call, "KeyStore"));
  CO_ASSIGN_OR_RETURN(
      const hsm::MakeTransportKeyReply made,
      co_await target->hsm.Call(hsm::MakeTransportKeyRequest{}));
  Reply reply;
  JsonWriter(reply.body)
      .BeginObject()
      .Text("KeyStore", target->name)
      .Blob("PublicKey", made.public_key)
      .Text("Sha256",
            base::HexEncode(base::ThreadHasher().Sha256(made.public_key)))
      .EndObject();
  co_return reply;
}

// Moves the wrapping keys of one key store to the token of another.
Answer ShareWrappingKey(Call& call) {
  CO_ASSIGN_OR_RETURN(KeyStore* const source, NamedBy(call, "KeyStore"));
  CO_ASSIGN_OR_RETURN(KeyStore* const target, NamedBy(call, "TargetKeyStore"));
  if (source == target) {
    co_return Error{ErrorCode::kValidation,
                    "TargetKeyStore must be another key store than KeyStore."};
  }
  CO_ASSIGN_OR_RETURN(const auto keys,
                      WrappingKeysOf(call.environment, *source));
  for (const store::ServiceKey& key : keys) {
    CO_RETURN_IF_ERROR(co_await ShareOne(*source, *target, key));
  }
  co_return Reply();
}

}  // namespace kms::operations
