// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_CLIENT_POOL_H_
#define PKCS11_MODULE_CLIENT_POOL_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "kms/client/client.h"
#include "pkcs11/module/kms.h"

namespace pkcs11::module {

// Lets time pass, in the thread that calls it.
using Pause = std::function<void(std::chrono::milliseconds)>;
void SleepFor(std::chrono::milliseconds time);

// A ClientPool is the Kms at the other end of a connection: as many clients as
// there are calls at a time, kept with their connections for the next ones.
// It connects when first called. Safe to call from any thread, and in a child
// process after a fork.
class ClientPool final : public Kms {
 public:
  // `clock` is borrowed. Fails with kInvalidArgument if `options` cannot work.
  static base::Result<std::unique_ptr<ClientPool>> Create(
      kms::client::Options options, const base::Clock& clock,
      Pause pause = SleepFor);

  // A call that is throttled, and so was not done, is made again after a pause,
  // a few times.
  base::Result<base::Json> Call(std::string_view operation,
                                const base::Json& request) override;

 private:
  using ClientOwner = std::unique_ptr<kms::client::Client>;

  ClientPool(kms::client::Options options, const base::Clock& clock,
             Pause pause)
      : options_(std::move(options)), clock_(clock), pause_(std::move(pause)) {}

  base::Result<kms::client::Response> CallOnce(std::string_view operation,
                                               std::string_view request);

  base::Result<ClientOwner> Take();
  void PutBack(ClientOwner client);

  const kms::client::Options options_;
  const base::Clock& clock_;
  const Pause pause_;
  std::vector<ClientOwner> idle_;  // Guarded by StateLock.
};

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_CLIENT_POOL_H_
