// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_CLIENT_CLIENT_H_
#define HSM_CLIENT_CLIENT_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "hsm/client/token_status.h"
#include "hsm/messages.h"
#include "hsm/operations.h"

namespace hsm::client {

template <typename T>
using Awaitable = boost::asio::awaitable<base::Result<T>>;

// Counters of one Client, for /metrics. Written by its thread, read by any.
struct Stats;       // hsm/client/stats.h
class EvictedKeys;  // hsm/client/evicted_keys.h
class Pool;

// Another token that shares the wrapped keys of a key store.
struct FurtherToken {
  std::string name;               // Not kHomeToken; unique in its key store.
  std::string supervisor_socket;  // Path of its claviger-hsm's Unix socket.
  int workers = 2;                // 1..64.
  bool slow_worker = false;       // One more, for what takes seconds.
  bool drain = false;             // It gets no calls any more.
};

struct ClientConfig {
  std::string key_store;          // Its name, for errors and metrics.
  std::string supervisor_socket;  // Path of the home token's claviger-hsm's.
  int workers = 2;                // 1..64.
  bool slow_worker = false;       // One more, for what takes seconds.
  std::vector<FurtherToken> further_tokens{};  // At most kMaxTokens - 1.
  // Shared by all Clients of the key store; null: there is no other one.
  std::shared_ptr<EvictedKeys> evicted{};
};

// A key that every further token must have before it gets calls.
struct RequiredKey {
  KeyRef key;
  CheckValue check_value{};  // Which key it must be.
};

// What an eviction does about the slow worker. It confirms when it has made the
// key pair that it is making, for whichever client, which takes seconds; after
// thirty it hangs, and is replaced. Replacing it after two, like any other,
// fails that call; right only when nobody can be waiting for it.
enum class SlowWorker : std::uint8_t { kWaitFor, kReplace };

// A Client is clavigerd's side of one key store: a connection to each worker
// process of each of its tokens. Requests are pipelined and batched, kept
// within a window of cost units per worker, with long operations on lanes of
// their own, and each has a deadline: a worker that misses it is replaced
// through the supervisor, with back-off, and its requests fail.
//
// A request goes to any token if every key in it is wrapped, and to the home
// token otherwise (hsm/client/reach.h). Neither kind waits for the other. A
// request that leaves nothing on a token is sent once more if its worker dies.
// Workers that are idle are asked for their health. A token that fails several
// calls in a row gets none for a while.
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

  // Connects to the home token's supervisor and to every worker of it; fails if
  // one worker cannot open its token, with that worker's reason. The further
  // tokens are connected to in the background, again and again.
  boost::asio::awaitable<base::Status> Start();
  void Stop();

  // Lets each further token serve that has these keys, all of them, and makes
  // new keys for `algorithm`, as the home token does; it is asked at every
  // connection, and every few seconds while it does not. Before this is called
  // none serves.
  void Require(std::vector<RequiredKey> keys, Algorithm algorithm);
  // Adopts the list: tokens that are new to it, and `drain` of those that are
  // not. What is in flight on a token that is left out dies with its workers,
  // which are replaced: they must not go on holding keys that nobody tells them
  // to forget. Other settings of a token that stays are not looked at.
  void SetFurtherTokens(std::vector<FurtherToken> tokens);
  // The home token first.
  std::vector<TokenStatus> Tokens() const;

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

  // Executes `request` on the token called `token`, served or not: kNotFound if
  // there is none. Include hsm/client/call_on.h to use it.
  template <typename Request>
  Awaitable<ReplyTo<Request>> CallOn(std::string token, Request request);

  // Makes every worker of every token forget this key; a worker that does not
  // confirm is killed and replaced. When this succeeds, no process holds a
  // copy. It fails if one can be neither asked nor killed: a token whose
  // claviger-hsm has been stopped for good must be taken out of the list, and
  // one that was taken out while its claviger-hsm hangs must be stopped.
  boost::asio::awaitable<base::Status> EvictEverywhere(
      Locator locator, SlowWorker slow_worker = SlowWorker::kWaitFor);

  // Whether at least one worker can get calls.
  bool Ready() const;
  const Stats& stats() const;

 private:
  std::shared_ptr<Pool> pool_;
};

}  // namespace hsm::client

#endif  // HSM_CLIENT_CLIENT_H_
