// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_TOKEN_LOCK_H_
#define HSM_TOKEN_TOKEN_LOCK_H_

#include <string>

#include "base/result.h"

namespace hsm::token {

// A TokenLock is the exclusive lock that all our processes take around every
// call that reads or writes the objects of one token. SoftHSM's own locks do
// not suffice: a process that only reads destroys the objects another one is
// creating (measured). Cryptography on known handles needs no lock.
//
// It is flock(2) on a directory or file, so it ends with the process that holds
// it, however that one dies. Not thread-safe; not recursive.
class TokenLock {
 public:
  // Opens `path`: a directory as it is, anything else as a file that is made if
  // missing. Fails with kIo.
  static base::Result<TokenLock> OfDirectory(const std::string& path);
  static base::Result<TokenLock> OfFile(const std::string& path);

  TokenLock(TokenLock&& other) noexcept;
  TokenLock& operator=(TokenLock&&) = delete;
  ~TokenLock();

  // A Hold releases the lock when it goes. The TokenLock must outlive it.
  class Hold {
   public:
    Hold(Hold&& other) noexcept;
    Hold& operator=(Hold&&) = delete;
    ~Hold();

   private:
    friend class TokenLock;
    explicit Hold(int fd) : fd_(fd) {}
    int fd_;
  };

  // Waits for the lock, without bound: a holder that hangs is killed by its
  // supervisor.
  base::Result<Hold> Take() const;

  // Makes everything written to the file system that the lock lies on durable.
  // SoftHSM itself never calls fsync.
  base::Status SyncFileSystem() const;

 private:
  explicit TokenLock(int fd) : fd_(fd) {}
  static base::Result<TokenLock> Open(const std::string& path, int flags);

  int fd_;
};

}  // namespace hsm::token

#endif  // HSM_TOKEN_TOKEN_LOCK_H_
