// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_CLIENT_CLIENT_H_
#define HSM_CLIENT_CLIENT_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "hsm/messages.h"

namespace hsm::client {

template <typename T>
using Awaitable = boost::asio::awaitable<base::Result<T>>;

// Counters of one Client, for /metrics. Written by its thread, read by any.
struct Stats;  // hsm/client/stats.h
class Pool;

struct ClientConfig {
  std::string key_store;          // Its name, for errors and metrics.
  std::string supervisor_socket;  // Path of claviger-hsm's Unix socket.
  int workers = 2;                // 1..64.
  bool slow_worker = false;       // One more, for what takes seconds.
};

// What an eviction does about the slow worker. It confirms when it has made the
// key pair that it is making, for whichever client, which takes seconds and is
// bounded by that call's own deadline. Replacing it after two seconds, like any
// other, fails that call; right only when nobody can be waiting for it.
enum class SlowWorker : std::uint8_t { kWaitFor, kReplace };

// A Client is clavigerd's side of one key store: a connection to each of its
// worker processes. Requests are pipelined and batched, kept within a window of
// cost units per worker, with long operations on lanes of their own, and each
// has a deadline: a worker that misses it is replaced through the supervisor,
// with back-off, and its requests fail.
//
// A Client belongs to the thread that runs `io`: construct, call, await and
// destroy it there. Errors are the token's (hsm/token/token.h), and
// kHsmUnavailable (no worker, or it died: the operation may or may not have
// happened), kTimeout (likewise), kThrottled (queue full: it did not happen).
class Client {
 public:
  Client(boost::asio::io_context& io, ClientConfig config,
         const base::Clock& clock);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Connects to the supervisor and to every worker; fails if one worker cannot
  // open its token, with that worker's reason.
  boost::asio::awaitable<base::Status> Start();
  void Stop();

  Awaitable<GenerateKeyReply> Call(GenerateKeyRequest request);
  Awaitable<Sealed> Call(EncryptRequest request);
  Awaitable<PlaintextReply> Call(DecryptRequest request);
  Awaitable<GenerateDataKeyReply> Call(GenerateDataKeyRequest request);
  Awaitable<Sealed> Call(ReEncryptRequest request);
  Awaitable<PlaintextReply> Call(RandomRequest request);
  Awaitable<EmptyReply> Call(DestroyKeyRequest request);
  Awaitable<GenerateKeyReply> Call(CheckKeyRequest request);
  Awaitable<EmptyReply> Call(HealthRequest request);
  Awaitable<Capabilities> Call(CapabilitiesRequest request);
  Awaitable<ListKeysReply> Call(ListKeysRequest request);
  Awaitable<GenerateKeyPairReply> Call(GenerateKeyPairRequest request);
  Awaitable<SignReply> Call(SignRequest request);
  Awaitable<MacReply> Call(MacRequest request);
  Awaitable<PlaintextReply> Call(AgreeRequest request);
  Awaitable<PlaintextReply> Call(RsaDecryptRequest request);
  Awaitable<GenerateDataKeyPairReply> Call(GenerateDataKeyPairRequest request);
  Awaitable<ImportKeyReply> Call(ImportKeyRequest request);
  Awaitable<ImportRouteReply> Call(ImportRouteRequest request);
  Awaitable<GenerateWrappedKeyReply> Call(GenerateWrappedKeyRequest request);
  Awaitable<SealExternalReply> Call(SealExternalRequest request);
  Awaitable<PlaintextReply> Call(OpenExternalRequest request);
  Awaitable<XksReply> Call(XksRequest request);
  Awaitable<MakeTransportKeyReply> Call(MakeTransportKeyRequest request);
  Awaitable<ShareWrappingKeyReply> Call(ShareWrappingKeyRequest request);
  Awaitable<EmptyReply> Call(ReceiveWrappingKeyRequest request);
  Awaitable<CheckPinReply> Call(CheckPinRequest request);
  Awaitable<EmptyReply> Call(KeepWrappedKeyRequest request);

  // Makes every worker forget this key; a worker that does not confirm is
  // killed and replaced. When this succeeds, no process holds a copy.
  boost::asio::awaitable<base::Status> EvictEverywhere(
      Locator locator, SlowWorker slow_worker = SlowWorker::kWaitFor);

  // Whether at least one worker answers.
  bool Ready() const;
  const Stats& stats() const;

 private:
  std::shared_ptr<Pool> pool_;
};

}  // namespace hsm::client

#endif  // HSM_CLIENT_CLIENT_H_
