// SPDX-License-Identifier: Apache-2.0
#include "hsm/client/client.h"

#include <utility>

#include "hsm/client/execute.h"
#include "hsm/client/pool.h"
#include "hsm/client/reach.h"

namespace hsm::client {
namespace {

namespace asio = boost::asio;

template <typename Request>
Awaitable<ReplyTo<Request>> Execute(std::shared_ptr<Pool> pool,
                                    Request request) {
  const auto is_shared = [&pool](const Locator& wrapping_key) {
    return pool->IsRequired(wrapping_key);
  };
  PoolToken* const token =
      CanRunAnywhere(request, is_shared) ? nullptr : pool->HomeToken();
  return internal::ExecuteOn(std::move(pool), token, std::move(request));
}

}  // namespace

Client::Client(asio::io_context& io, ClientConfig config,
               const base::Clock& clock)
    : pool_(std::make_shared<Pool>(io, std::move(config), clock)) {}

Client::~Client() { Stop(); }

asio::awaitable<base::Status> Client::Start() { return pool_->Start(); }

void Client::Stop() { pool_->Stop(); }

Awaitable<GenerateKeyReply> Client::Call(GenerateKeyRequest request) {
  return Execute(pool_, request);
}
Awaitable<Sealed> Client::Call(EncryptRequest request) {
  return Execute(pool_, std::move(request));
}
Awaitable<PlaintextReply> Client::Call(DecryptRequest request) {
  return Execute(pool_, std::move(request));
}
Awaitable<GenerateDataKeyReply> Client::Call(GenerateDataKeyRequest request) {
  return Execute(pool_, request);
}
Awaitable<Sealed> Client::Call(ReEncryptRequest request) {
  return Execute(pool_, std::move(request));
}
Awaitable<PlaintextReply> Client::Call(RandomRequest request) {
  return Execute(pool_, request);
}
Awaitable<EmptyReply> Client::Call(DestroyKeyRequest request) {
  return Execute(pool_, request);
}
Awaitable<GenerateKeyReply> Client::Call(CheckKeyRequest request) {
  return Execute(pool_, request);
}
Awaitable<EmptyReply> Client::Call(HealthRequest request) {
  return Execute(pool_, request);
}
Awaitable<Capabilities> Client::Call(CapabilitiesRequest request) {
  return Execute(pool_, request);
}
Awaitable<ListKeysReply> Client::Call(ListKeysRequest request) {
  return Execute(pool_, request);
}
Awaitable<GenerateKeyPairReply> Client::Call(GenerateKeyPairRequest request) {
  return Execute(pool_, request);
}
Awaitable<SignReply> Client::Call(SignRequest request) {
  return Execute(pool_, std::move(request));
}
Awaitable<MacReply> Client::Call(MacRequest request) {
  return Execute(pool_, std::move(request));
}
Awaitable<PlaintextReply> Client::Call(AgreeRequest request) {
  return Execute(pool_, std::move(request));
}
Awaitable<PlaintextReply> Client::Call(RsaDecryptRequest request) {
  return Execute(pool_, std::move(request));
}
Awaitable<GenerateDataKeyPairReply> Client::Call(
    GenerateDataKeyPairRequest request) {
  return Execute(pool_, request);
}

Awaitable<ImportKeyReply> Client::Call(ImportKeyRequest request) {
  return Execute(pool_, std::move(request));
}
Awaitable<ImportRouteReply> Client::Call(ImportRouteRequest request) {
  return Execute(pool_, request);
}

Awaitable<GenerateWrappedKeyReply> Client::Call(
    GenerateWrappedKeyRequest request) {
  return Execute(pool_, request);
}

Awaitable<SealExternalReply> Client::Call(SealExternalRequest request) {
  return Execute(pool_, std::move(request));
}

Awaitable<PlaintextReply> Client::Call(OpenExternalRequest request) {
  return Execute(pool_, std::move(request));
}

Awaitable<XksReply> Client::Call(XksRequest request) {
  return Execute(pool_, std::move(request));
}

Awaitable<MakeTransportKeyReply> Client::Call(MakeTransportKeyRequest request) {
  return Execute(pool_, request);
}

Awaitable<ShareWrappingKeyReply> Client::Call(ShareWrappingKeyRequest request) {
  return Execute(pool_, std::move(request));
}

Awaitable<EmptyReply> Client::Call(ReceiveWrappingKeyRequest request) {
  return Execute(pool_, std::move(request));
}

Awaitable<CheckPinReply> Client::Call(CheckPinRequest request) {
  return Execute(pool_, std::move(request));
}

Awaitable<EmptyReply> Client::Call(KeepWrappedKeyRequest request) {
  return Execute(pool_, std::move(request));
}

void Client::Require(std::vector<RequiredKey> keys, Algorithm algorithm) {
  pool_->Require(std::move(keys), algorithm);
}

void Client::SetFurtherTokens(std::vector<FurtherToken> tokens) {
  pool_->SetFurtherTokens(std::move(tokens));
}

std::vector<TokenStatus> Client::Tokens() const { return pool_->Tokens(); }

asio::awaitable<base::Status> Client::EvictEverywhere(Locator locator,
                                                      SlowWorker slow_worker) {
  return pool_->EvictEverywhere(locator, slow_worker);
}

bool Client::Ready() const { return pool_->Ready(); }

const Stats& Client::stats() const { return pool_->stats(); }

}  // namespace hsm::client
