// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CLIENT_LIBRARY_H_
#define KMS_CLIENT_LIBRARY_H_

#include <openssl/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace kms::client {

// A LibraryContext is an OpenSSL of our own: algorithms fetched in it come from
// its default provider, whatever the host process has configured. It reads no
// configuration file itself. Not synchronised.
//
// One that goes is kept for who makes one next, and never freed: OpenSSL 3.0
// remembers it for every thread that had random numbers of it, and would look
// into it when that thread ends. So a process has as many as were in use at
// once.
//
// Making one lets OpenSSL read its configuration for the host first, which may
// load other PKCS#11 modules, even the one that is calling: hold no lock around
// it.
class LibraryContext {
 public:
  // Fails with kInternal.
  static base::Result<LibraryContext> Create();

  OSSL_LIB_CTX* get() const { return entry_->context; }

  // A random number from 0 to `most`; `most` itself if OpenSSL has none. For
  // spreading load, not for keys. Safe to call from any thread.
  std::uint64_t RandomUpTo(std::uint64_t most) const;

 private:
  struct Entry {
    OSSL_LIB_CTX* context;
    Entry* next;
  };
  // Those that nobody uses.
  static std::atomic<Entry*> idle;

  static void Push(Entry* entry);
  static Entry* Pop();

  struct GiveBack {
    void operator()(Entry* entry) const { Push(entry); }
  };
  std::unique_ptr<Entry, GiveBack> entry_;
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
