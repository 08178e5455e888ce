// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CLIENT_LIBRARY_H_
#define KMS_CLIENT_LIBRARY_H_

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace kms::client {

// A LibraryContext is an OpenSSL of our own: algorithms fetched in it come from
// its default provider, whatever the host process has configured. It reads no
// configuration file itself. Not synchronised.
//
// Making one lets OpenSSL read its configuration for the host first, which may
// load other PKCS#11 modules, even the one that is calling: hold no lock around
// it.
class LibraryContext {
 public:
  // Fails with kInternal.
  static base::Result<LibraryContext> Create();

  OSSL_LIB_CTX* get() const { return context_.get(); }

  // A random number from 0 to `most`; `most` itself if OpenSSL has none. For
  // spreading load, not for keys. Safe to call from any thread.
  std::uint64_t RandomUpTo(std::uint64_t most) const;

 private:
  struct Free {
    void operator()(OSSL_LIB_CTX* context) const;
    void operator()(OSSL_PROVIDER* provider) const;
  };
  std::unique_ptr<OSSL_LIB_CTX, Free> context_;
  std::unique_ptr<OSSL_PROVIDER, Free> provider_;  // Must go first.
};

// Whether OpenSSL may still be called. After OPENSSL_cleanup(), which runs when
// the process ends, it may not: what is left of it must be leaked.
bool OpensslIsUp();

// The text of the newest error in the calling thread's queue, which is emptied.
std::string TakeOpensslError();

// HostErrors keeps the errors that the host has in the calling thread's queue
// out of our way, and puts them back when it goes, with the marks between them.
// TLS empties the queue at each step; who called us may be about to report what
// is in it, or OpenSSL about to go back to a mark.
class HostErrors {
 public:
  HostErrors();
  ~HostErrors();
  HostErrors(const HostErrors&) = delete;
  HostErrors& operator=(const HostErrors&) = delete;

 private:
  struct Queue;
  std::unique_ptr<Queue> host_;  // Null: OpenSSL has no queue to keep.
};

}  // namespace kms::client

#endif  // KMS_CLIENT_LIBRARY_H_
