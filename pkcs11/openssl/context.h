// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_OPENSSL_CONTEXT_H_
#define PKCS11_OPENSSL_CONTEXT_H_

#include <atomic>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "kms/client/key_uri.h"
#include "kms/client/library.h"
#include "pkcs11/kms.h"
#include "pkcs11/openssl/core.h"
#include "pkcs11/openssl/section.h"

namespace pkcs11::openssl {

// A Context is one loaded provider: the OpenSSL that loaded it, an OpenSSL of
// our own to do public operations with, and the clients that it calls the KMS
// with. Whatever the provider makes keeps it alive, since a host may free keys
// after it has unloaded the provider.
//
// Safe to call from any thread, and in a child process after a fork. It holds
// no lock while it calls anything.
class Context {
 public:
  // Makes no connection. A section that says nothing good fails whoever wants a
  // key and not this: OpenSSL passes over a provider that does not load without
  // a word. Fails with kInternal.
  static base::Result<std::shared_ptr<Context>> Create(const Core& core);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  const Core& core() const { return core_; }
  OSSL_LIB_CTX* library() const { return library_.get(); }

  // The KMS that has the key: where `uri` says or, for what it leaves open, the
  // section, the configuration file, the environment. Makes no connection.
  // Fails with kInvalidArgument or kIo.
  base::Result<std::shared_ptr<Kms>> KmsOf(const kms::client::KeyUri& uri);

  // For a KMS that has answered: KmsOf() returns it for the same place from now
  // on. Places of which nothing came, or too many of them, are not kept.
  void Remember(const kms::client::KeyUri& uri,
                const std::shared_ptr<Kms>& kms);

  // As section.h has it.
  base::Status CheckReference(const kms::client::KeyUri& uri) const;

  // For who looks for mistakes: where keys are whose name does not say it.
  // Makes no connection. Fails with kInvalidArgument or kIo.
  base::Result<std::string> Endpoint() const;
  // Fails if nothing answers there.
  base::Status Ping() const;

 private:
  struct Place;

  const Place* FindPlace(const kms::client::KeyUri& where) const;

  Context(const Core& core, kms::client::LibraryContext library);

  const Core core_;
  const base::RealClock clock_;
  const kms::client::LibraryContext library_;
  base::Result<Section> section_;
  // The newest of a list that only grows, so that it needs no lock, which a
  // fork could leave locked. Owned.
  std::atomic<Place*> places_ = nullptr;
};

using ContextOwner = std::shared_ptr<Context>;

// What the provider context of OpenSSL points to.
struct Provider {
  ContextOwner context;
};
inline const ContextOwner& ContextOf(void* provider) {
  return static_cast<Provider*>(provider)->context;
}

// Destroys something that OpenSSL objects are in. While the process ends and
// OpenSSL is gone, they must not be freed: then it stays.
void LetGo(std::shared_ptr<const void> thing);

}  // namespace pkcs11::openssl

#endif  // PKCS11_OPENSSL_CONTEXT_H_
