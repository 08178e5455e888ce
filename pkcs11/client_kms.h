// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_CLIENT_KMS_H_
#define PKCS11_CLIENT_KMS_H_

#include <atomic>
#include <memory>
#include <string_view>

#include "base/clock.h"
#include "kms/client/client.h"
#include "pkcs11/kms.h"

namespace pkcs11 {

// A ClientKms is the Kms at the other end of a client's connections. It
// connects when first called. Its errors say which operation on which key, and
// the id under which the server has the request in its log. Safe to call from
// any thread, and in a child process after a fork.
class ClientKms final : public Kms {
 public:
  // `clock` is borrowed. Hold no lock: kms::client::Client::Create. Fails with
  // kInvalidArgument if `options` cannot work.
  static base::Result<std::unique_ptr<ClientKms>> Create(
      kms::client::Options options, const base::Clock& clock);

  base::Result<base::Json> Call(std::string_view operation,
                                const base::Json& request) override;
  int LastFailure() const override { return last_failure_.load(); }
  void AfterForkInChild() override { client_->AfterForkInChild(); }

 private:
  base::Result<kms::client::Response> Send(std::string_view operation,
                                           std::string_view request);

  explicit ClientKms(std::unique_ptr<kms::client::Client> client)
      : client_(std::move(client)) {}

  const std::unique_ptr<kms::client::Client> client_;
  std::atomic<int> last_failure_ = 0;
};

}  // namespace pkcs11

#endif  // PKCS11_CLIENT_KMS_H_
