// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_SOCKET_H_
#define HSM_SOCKET_H_

#include <sys/types.h>

#include <cstddef>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "hsm/fd.h"

// Unix sockets, as the three processes use them: SOCK_SEQPACKET where messages
// and file descriptors travel, SOCK_STREAM where frames do. Every descriptor is
// close-on-exec. Errors are kIo with errno's text unless said otherwise.
namespace hsm {

struct SocketPair {
  Fd ours;
  Fd theirs;
};

// `type` is SOCK_STREAM or SOCK_SEQPACKET, and may carry SOCK_NONBLOCK.
base::Result<SocketPair> MakeSocketPair(int type);

// A SOCK_SEQPACKET socket bound to `path` and listening, for which any user may
// ask: who may come in is decided by PeerUid(). A socket file that nobody
// serves is replaced; fails with kBusy if somebody does, however busy that one
// is.
base::Result<Fd> ListenAt(const std::string& path);

// A SocketFile is the file that is at `path` when it is made. Remove() removes
// it, but not what somebody has put there in its place.
class SocketFile {
 public:
  explicit SocketFile(std::string path);
  void Remove() const;

 private:
  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;  // 0: there was none.
};

// A non-blocking SOCK_SEQPACKET connection to `path`; fails with kNotFound if
// nobody listens there, and with kBusy if too many wait for whoever does.
base::Result<Fd> ConnectTo(const std::string& path);

// The effective uid of the process that connected.
base::Result<uid_t> PeerUid(int socket);
// The process that listens, of a socket that ConnectTo() has made.
base::Result<pid_t> PeerPid(int socket);

// One message, with a descriptor in it or none. Neither call waits: receiving
// fails with kBusy if there is nothing, and gives an empty message at the end
// of the connection.
struct Packet {
  base::Bytes bytes;
  Fd fd;
};
inline constexpr std::size_t kMaxPacket = 2048;
base::Status SendPacket(int socket, base::ByteView bytes, int fd = -1);
base::Result<Packet> ReceivePacket(int socket);

// "cannot WHAT: <text of errno>".
base::Error ErrnoError(const std::string& what);

}  // namespace hsm

#endif  // HSM_SOCKET_H_
