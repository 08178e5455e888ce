// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_LOGIN_KMS_H_
#define PKCS11_MODULE_LOGIN_KMS_H_

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "kms/client/endpoint.h"
#include "pkcs11/client_kms.h"
#include "pkcs11/kms.h"
#include "pkcs11/module/state_lock.h"

namespace pkcs11::module {

// Where to log in.
struct LoginPlace {
  kms::client::Endpoint endpoint;
  std::string region;
  std::string ca_file;  // Empty: the system's certificates.
  // A key to ask about, so that the server looks at the access key. Nobody
  // needs a permission for it; it need not exist.
  std::string probe_key_id;
};

// A LoginKms is a Kms that is called in the name of whoever logs in, and by
// nobody else: without a login every call fails with kMissingAuthentication. It
// keeps the access key in its client, which goes with the logout.
//
// Safe to call from any thread. No StateLock may be held, but where it is asked
// for.
class LoginKms final : public Kms {
 public:
  // `clock` is borrowed.
  LoginKms(LoginPlace place, const base::Clock& clock)
      : place_(std::move(place)), clock_(clock) {}

  base::Result<base::Json> Call(std::string_view operation,
                                const base::Json& request) override;
  base::Status LogIn(base::SigV4Credentials credentials) override;
  base::Status CheckLogin(base::SigV4Credentials credentials) override;
  std::shared_ptr<void> LogOut(const StateLock& lock) override;
  int LastFailure() const override { return last_failure_.load(); }
  void AfterForkInChild() override;

 private:
  using ClientOwner = std::shared_ptr<ClientKms>;

  // A client that the server knows.
  base::Result<ClientOwner> Connect(base::SigV4Credentials credentials);
  ClientOwner Current() const;
  void Note(const Kms& client);

  const LoginPlace place_;
  const base::Clock& clock_;
  std::atomic<int> last_failure_ = 0;
  ClientOwner client_;         // Guarded by StateLock. Null: nobody's.
  std::string access_key_id_;  // Guarded by StateLock. Of who is logged in.
};

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_LOGIN_KMS_H_
