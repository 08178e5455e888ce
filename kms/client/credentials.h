// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CLIENT_CREDENTIALS_H_
#define KMS_CLIENT_CREDENTIALS_H_

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

#include "base/sigv4_signer.h"
#include "kms/client/profile.h"
#include "kms/client/shared_file.h"

namespace kms::client {

// A CredentialCache has the credentials that a client signs with, and looks for
// newer ones in the files that they came from. Files that cannot be read any
// more, or that hold no usable access key, change nothing: who has dropped
// rights or is in the middle of writing them keeps what there was.
//
// Safe to call from any thread; no lock is held while files are read.
class CredentialCache {
 public:
  // Credentials that do not change. The pointer is the identity of a set.
  using Snapshot = std::shared_ptr<const base::SigV4Credentials>;

  // `files` empty: there are never others than `first`.
  CredentialCache(base::SigV4Credentials first,
                  std::optional<ProfileFiles> files);

  // What to sign with now. Looks at the files' stamps, and reads them when one
  // has changed.
  Snapshot Current();

  // Reads the files after the server has said that those in `used` are expired.
  // Whether Current() now gives others.
  bool Renew(const Snapshot& used);

  // A copy of what was current when this process was forked from the one that
  // used the cache. Takes no lock, since nobody will ever release it here.
  base::SigV4Credentials CopyAfterFork() const;

 private:
  using Stamps = std::array<FileStamp, 2>;

  Stamps Look() const;
  Snapshot Read() const;
  // What was read while the files had `stamps`, unless others were seen since.
  void Publish(const Stamps& stamps, Snapshot fresh);

  const std::optional<ProfileFiles> files_;
  std::mutex mutex_;
  Snapshot current_;  // Guarded by mutex_.
  Stamps stamps_;     // Guarded by mutex_. Of the files when last read.
  // What current_ points to, or is just about to: alive at every instant.
  std::atomic<const base::SigV4Credentials*> published_;
};

base::SigV4Credentials CopyOf(const base::SigV4Credentials& credentials);

}  // namespace kms::client

#endif  // KMS_CLIENT_CREDENTIALS_H_
