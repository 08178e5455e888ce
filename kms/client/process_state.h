// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CLIENT_PROCESS_STATE_H_
#define KMS_CLIENT_PROCESS_STATE_H_

#include <sys/types.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/hash.h"
#include "base/result.h"
#include "base/sigv4_signer.h"
#include "base/wiping.h"
#include "kms/client/connection_pool.h"
#include "kms/client/credentials.h"
#include "kms/client/descriptors.h"
#include "kms/client/library.h"
#include "kms/client/options.h"
#include "kms/client/tls.h"

namespace kms::client {

// What a client knows wherever it runs. It does not change.
struct Settings {
  Options options;  // Without credentials: they do change.
  Authorities authorities;
  const base::Clock& clock;
};

// A ProcessState is what a client has in one process: OpenSSL contexts,
// connections, credentials, and the locks around them. A child process must not
// touch its parent's, because another thread may have held any of the locks
// when it was forked; it makes its own. The exceptions are IsOurs(),
// Disown(), descriptors() and CredentialsAfterFork(), which take no lock.
//
// Safe to call from any thread. No lock is held across input or output.
class ProcessState {
 public:
  // `settings` is borrowed. `credentials` sign every call; none on a Unix
  // socket. Touches OpenSSL for the first time: hold no lock around it. Fails
  // with kInvalidArgument if the certificates are of no use.
  static base::Result<std::unique_ptr<ProcessState>> Create(
      const Settings& settings,
      std::optional<base::SigV4Credentials> credentials);

  // Whether this process made it and may use all of it. In a child, only
  // Disown() makes that sure: pids come again.
  bool IsOurs() const;
  // In a child that was just forked: it is the parent's. Calls nothing that a
  // signal handler may not.
  void Disown() { owner_.store(0); }
  DescriptorSet& descriptors() { return descriptors_; }
  std::optional<base::SigV4Credentials> CredentialsAfterFork() const;

  // What to sign with now; nullptr on a Unix socket.
  CredentialCache::Snapshot Credentials();
  // Whether there are others than the expired ones in `used`.
  bool Renew(const CredentialCache::Snapshot& used);

  // The request that calls `operation`, signed with `credentials` if there are
  // any. Fails with kInvalidArgument.
  base::Result<base::WipingString> Request(
      std::string_view operation, std::string_view body,
      const CredentialCache::Snapshot& credentials);

  // A new connection.
  base::Result<std::unique_ptr<Stream>> Connect(const Deadline& deadline);

  ConnectionPool& pool() { return pool_; }
  const LibraryContext& library() const { return library_; }

 private:
  ProcessState(const Settings& settings, LibraryContext library,
               std::optional<TlsContext> tls,
               std::optional<base::SigV4Credentials> credentials);

  const Settings& settings_;
  std::atomic<pid_t> owner_;
  DescriptorSet descriptors_;
  LibraryContext library_;  // Outlives what is made in it, below.
  std::optional<TlsContext> tls_;
  std::optional<CredentialCache> credentials_;
  std::mutex signing_;
  base::Hasher hasher_;                      // Guarded by signing_.
  std::optional<base::SigV4Signer> signer_;  // Guarded by signing_.
  // Guarded by signing_: whose signer it is.
  CredentialCache::Snapshot signer_of_;
  ConnectionPool pool_;
};

}  // namespace kms::client

#endif  // KMS_CLIENT_PROCESS_STATE_H_
