// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CLIENT_SHARED_FILE_H_
#define KMS_CLIENT_SHARED_FILE_H_

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/wiping.h"

namespace kms::client {

// A SharedFile is a place where AWS's tools keep a file for all of them.
struct SharedFile {
  std::string path;  // Empty: nowhere.
  // Somebody named the file, so that it must be readable if it is there. One at
  // the usual place may be another user's, and then is not for us.
  bool named = false;
};

// A FileStamp tells whether a file has become another one.
struct FileStamp {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = -1;  // -1: cannot be looked at.
  std::int64_t modified_ns = 0;
  bool operator==(const FileStamp&) const = default;
};
FileStamp StampOf(const SharedFile& file);

// The text of `file`; "" if it is not there. Does not wait for a pipe. Fails
// with kIo if it cannot be read, and with kInvalidArgument if it is no regular
// file (/dev/null is empty) or longer than IniFile takes.
base::Result<base::WipingString> ReadShared(const SharedFile& file);

}  // namespace kms::client

#endif  // KMS_CLIENT_SHARED_FILE_H_
