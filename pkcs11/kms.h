// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_KMS_H_
#define PKCS11_KMS_H_

#include <memory>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/json.h"
#include "base/result.h"
#include "base/sigv4_signer.h"

namespace pkcs11 {

namespace module {
class StateLock;
}

// A Kms is a key management service that speaks the AWS KMS API. Safe to call
// from any thread.
class Kms {
 public:
  virtual ~Kms() = default;

  // Calls `operation` ("Sign") and returns its reply, which is an object. Fails
  // as kms::client::Client::Call does.
  virtual base::Result<base::Json> Call(std::string_view operation,
                                        const base::Json& request) = 0;

  // Of a Kms that is called in the name of whoever logs in: from now on, that
  // is who has this access key. Asks the server whether it knows it. Fails with
  // kAlreadyExists if somebody is logged in; with an error that RvOf() takes
  // for CKR_USER_NOT_LOGGED_IN if the access key is not good; or as Call does.
  virtual base::Status LogIn(base::SigV4Credentials credentials);
  // Whether the access key is that of who is logged in. Asks and fails
  // likewise.
  virtual base::Status CheckLogin(base::SigV4Credentials credentials);
  // Forgets the access key. What is returned is to be let go of without the
  // lock.
  virtual std::shared_ptr<void> LogOut(const module::StateLock& lock);

  // The HTTP status of the last answer that was an error; 0 if there was none.
  virtual int LastFailure() const { return 0; }

  // In a child process, while pthread_atfork()'s handlers run: closes what
  // belongs to the parent. Calls nothing that a signal handler may not.
  virtual void AfterForkInChild() {}
};

// The text of member `name` of `object`, if it has one that is a string.
std::optional<std::string_view> TextMember(const base::Json& object,
                                           std::string_view name);

// What the base64 text in member `name` stands for. Fails with kCorrupt.
base::Result<base::Bytes> BytesMember(const base::Json& object,
                                      std::string_view name);

// The same for what must be wiped. Fails with kCorrupt.
base::Result<base::WipingBytes> SecretMember(const base::Json& object,
                                             std::string_view name);

// Bytes as a member of a request.
base::Json Base64Json(base::ByteView bytes);

}  // namespace pkcs11

#endif  // PKCS11_KMS_H_
