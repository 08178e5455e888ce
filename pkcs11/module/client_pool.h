// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_CLIENT_POOL_H_
#define PKCS11_MODULE_CLIENT_POOL_H_

#include <memory>
#include <vector>

#include "base/clock.h"
#include "kms/client/client.h"
#include "pkcs11/module/kms.h"

namespace pkcs11::module {

// A ClientPool is the Kms at the other end of a connection: as many clients as
// there are calls at a time, kept with their connections for the next ones.
// It connects when first called. Safe to call from any thread, and in a child
// process after a fork.
class ClientPool final : public Kms {
 public:
  // `clock` is borrowed. Fails with kInvalidArgument if `options` cannot work.
  static base::Result<std::unique_ptr<ClientPool>> Create(
      kms::client::Options options, const base::Clock& clock);

  base::Result<base::Json> Call(std::string_view operation,
                                const base::Json& request) override;

 private:
  using ClientOwner = std::unique_ptr<kms::client::Client>;

  ClientPool(kms::client::Options options, const base::Clock& clock)
      : options_(std::move(options)), clock_(clock) {}

  base::Result<ClientOwner> Take();
  void PutBack(ClientOwner client);

  const kms::client::Options options_;
  const base::Clock& clock_;
  std::vector<ClientOwner> idle_;  // Guarded by StateLock.
};

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_CLIENT_POOL_H_
