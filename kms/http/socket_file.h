// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_HTTP_SOCKET_FILE_H_
#define KMS_HTTP_SOCKET_FILE_H_

#include <sys/types.h>

#include <string>

#include "base/result.h"

namespace kms::http {

// Makes way for a new socket at `path`: removes a socket file that nobody
// listens on. Fails with kBusy if somebody does, and with kInvalidArgument if
// the path is too long for a socket or another kind of file lies there.
base::Status ClearSocketPath(const std::string& path);

// A SocketFile is a bound socket's name in the file system; every user may
// connect to it. It removes the name, if it is still its own, when it goes.
class SocketFile {
 public:
  // To be called after bind(). kIo if the file's mode cannot be set.
  static base::Result<SocketFile> Open(const std::string& path);
  ~SocketFile();
  SocketFile(SocketFile&& other) noexcept;
  SocketFile& operator=(SocketFile&&) = delete;

 private:
  SocketFile(std::string path, dev_t device, ino_t inode);

  std::string path_;  // Empty when moved from.
  dev_t device_;
  ino_t inode_;
};

}  // namespace kms::http

#endif  // KMS_HTTP_SOCKET_FILE_H_
