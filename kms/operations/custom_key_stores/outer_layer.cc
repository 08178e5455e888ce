// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/custom_key_stores/outer_layer.h"

#include <fmt/format.h>

#include <utility>

#include "kms/ciphertext.h"
#include "kms/operations/custom_key_stores/ask.h"
#include "kms/operations/custom_key_stores/outcomes.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;
using hsm::XksOutcome;

hsm::XksRequest NewRequest(const Key& key, const hsm::Aad& aad,
                           hsm::XksOperation operation) {
  hsm::XksRequest request;
  request.operation = operation;
  request.external_key_id = key.xks_key_id;
  request.key_arn = key.Arn();
  request.aad.assign(aad.begin(), aad.end());
  return request;
}

// An error that is not the proxy's, as users of the key are told it.
Error UseError(const Error& error) {
  switch (error.code) {
    case ErrorCode::kDryRun:
    case ErrorCode::kThrottled:
      return error;
    case ErrorCode::kCustomKeyStoreInvalidState:
    case ErrorCode::kUnsupportedOperation:
      return {ErrorCode::kInvalidState, error.message};
    default:
      return {ErrorCode::kInvalidState,
              "This server could not ask the external key store proxy, for a "
              "reason of its own: its log tells more. You can retry the "
              "request."};
  }
}

asio::awaitable<base::Result<hsm::XksReply>> Ask(Call& call, const Key& key,
                                                 hsm::XksRequest request) {
  auto reply =
      co_await AskForCall(call, key.custom_key_store, std::move(request));
  if (!reply) {
    co_return UseError(reply.error());
  }
  if (reply->outcome != XksOutcome::kOk) {
    co_return UseErrorOf(reply->outcome);
  }
  co_return reply;
}

}  // namespace

bool HasOuterLayer(const Key& key) {
  return key.origin == Origin::kExternalKeyStore;
}

asio::awaitable<base::Result<hsm::ExternalSealed>> SealOuter(
    Call& call, const Key& key, const hsm::Aad& aad, const hsm::Sealed& inner) {
  hsm::XksRequest request = NewRequest(key, aad, hsm::XksOperation::kEncrypt);
  request.plaintext = base::Secret::CopyOf(inner.ciphertext);
  CO_ASSIGN_OR_RETURN(hsm::XksReply reply,
                      co_await Ask(call, key, std::move(request)));
  if (!IsOuterLayer(reply.sealed) ||
      reply.sealed.ciphertext.size() != inner.ciphertext.size()) {
    NoteMalformed(call, key.custom_key_store,
                  "the ciphertext or what goes with it has a wrong length");
    co_return UseErrorOf(XksOutcome::kMalformed);
  }
  co_return std::move(reply.sealed);
}

asio::awaitable<base::Result<hsm::Sealed>> OpenOuter(
    Call& call, const Key& key, const hsm::Aad& aad, const hsm::Nonce& nonce,
    hsm::ExternalSealed sealed) {
  hsm::XksRequest request = NewRequest(key, aad, hsm::XksOperation::kDecrypt);
  const std::size_t size = sealed.ciphertext.size();
  request.sealed = std::move(sealed);
  CO_ASSIGN_OR_RETURN(const hsm::XksReply reply,
                      co_await Ask(call, key, std::move(request)));
  if (reply.plaintext.size() != size) {
    NoteMalformed(call, key.custom_key_store,
                  "what it decrypted is not what was encrypted");
    co_return UseErrorOf(XksOutcome::kMalformed);
  }
  const base::ByteView bytes = reply.plaintext.Reveal();
  co_return hsm::Sealed{.nonce = nonce,
                        .ciphertext = {bytes.begin(), bytes.end()}};
}

Error InnerLayerError(const Key& key) {
  return {ErrorCode::kInvalidState,
          fmt::format("The external key store proxy has decrypted, but what it "
                      "gave back does not belong to this ciphertext of {} and "
                      "this encryption context.",
                      key.Arn())};
}

}  // namespace kms::operations
