// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_CLIENT_KMS_H_
#define PKCS11_MODULE_CLIENT_KMS_H_

#include <memory>
#include <string_view>

#include "base/clock.h"
#include "kms/client/client.h"
#include "pkcs11/module/kms.h"

namespace pkcs11::module {

// A ClientKms is the Kms at the other end of a client's connections. It
// connects when first called. Safe to call from any thread, and in a child
// process after a fork.
class ClientKms final : public Kms {
 public:
  // `clock` is borrowed. Hold no lock: kms::client::Client::Create. Fails with
  // kInvalidArgument if `options` cannot work.
  static base::Result<std::unique_ptr<ClientKms>> Create(
      kms::client::Options options, const base::Clock& clock);

  base::Result<base::Json> Call(std::string_view operation,
                                const base::Json& request) override;
  void AfterForkInChild() override { client_->AfterForkInChild(); }

 private:
  explicit ClientKms(std::unique_ptr<kms::client::Client> client)
      : client_(std::move(client)) {}

  const std::unique_ptr<kms::client::Client> client_;
};

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_CLIENT_KMS_H_
