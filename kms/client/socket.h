// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CLIENT_SOCKET_H_
#define KMS_CLIENT_SOCKET_H_

#include "kms/client/descriptors.h"
#include "kms/client/endpoint.h"
#include "kms/client/stream.h"

namespace kms::client {

// A Socket is a Stream without encryption. It is non-blocking inside, waits
// with poll() and never raises SIGPIPE. It closes no descriptor that has become
// the host's.
class Socket final : public Stream {
 public:
  // Connects, trying each address of the host in turn. Looking a host name up
  // is the resolver's business and may outlast `deadline`; addresses and Unix
  // sockets never do. For Transport::kHttp, an address that is not loopback is
  // refused whatever the name said. Fails with kIo or kTimeout, naming the
  // endpoint. The Socket is in `set`, which is borrowed, until it is closed.
  static base::Result<Socket> Connect(const Endpoint& endpoint,
                                      const Deadline& deadline,
                                      DescriptorSet& set);

  // Takes `descriptor`, which must not block, and notes it in `set`.
  Socket(int descriptor, DescriptorSet& set)
      : descriptor_(descriptor), entry_(&set.Add(descriptor)) {}
  ~Socket() override;
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&&) = delete;

  base::Status Write(base::ByteView bytes, const Deadline& deadline) override;
  base::Result<std::size_t> Read(std::span<std::uint8_t> into,
                                 const Deadline& deadline) override;
  bool IsQuiet(const Deadline& deadline) override;

  // Whether the descriptor is still this socket: between two calls the host may
  // have closed it and opened another file under its number.
  bool IsIntact() const { return DescriptorSet::IsIntact(*entry_); }

  // Whether Read would not wait.
  bool IsReadable() const;

 private:
  int descriptor_;
  DescriptorSet::Entry* entry_;
};

}  // namespace kms::client

#endif  // KMS_CLIENT_SOCKET_H_
