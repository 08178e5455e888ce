// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_HSM_STREAM_FRAMES_H_
#define TESTS_HSM_STREAM_FRAMES_H_

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstdint>
#include <optional>

#include "base/buffer.h"
#include "base/bytes.h"
#include "hsm/fd.h"
#include "hsm/frame.h"
#include "hsm/socket.h"
#include "tests/testlib/status.h"

// The other end of a worker's connection, frame by frame.
namespace hsm_test {

struct Reply {
  std::uint32_t slot;
  std::uint8_t status;
  base::Bytes payload;
};

// A new connection to the worker at the other end of `control`.
inline hsm::Fd ConnectOver(const hsm::Fd& control) {
  hsm::SocketPair pair = testlib::Take(hsm::MakeSocketPair(SOCK_STREAM));
  const base::Bytes hello = {1};
  testlib::Take(hsm::SendPacket(control.get(), hello, pair.theirs.get()));
  return std::move(pair.ours);
}

template <typename Request>
void Append(base::WipingBytes& out, std::uint32_t slot,
            const Request& request) {
  testlib::Take(
      hsm::AppendFrame(slot, hsm::RowOf<Request>().number, request, out));
}

inline void Write(const hsm::Fd& socket, base::ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t size =
        send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    ASSERT_GT(size, 0);
    bytes = bytes.subspan(static_cast<std::size_t>(size));
  }
}

inline bool ReadAll(const hsm::Fd& socket, base::Bytes& bytes) {
  return bytes.empty() ||
         recv(socket.get(), bytes.data(), bytes.size(), MSG_WAITALL) ==
             static_cast<ssize_t>(bytes.size());
}

// The next reply; nothing at the end of the connection.
inline std::optional<Reply> Read(const hsm::Fd& socket) {
  base::Bytes head(hsm::kFrameHeadSize);
  if (!ReadAll(socket, head)) {
    return std::nullopt;
  }
  base::Reader reader(head);
  const std::uint32_t length = *reader.U32();
  Reply reply{*reader.U32(), *reader.U8(), {}};
  reply.payload.resize(length - hsm::kMinFrame);
  return ReadAll(socket, reply.payload) ? std::optional(reply) : std::nullopt;
}

}  // namespace hsm_test

#endif  // TESTS_HSM_STREAM_FRAMES_H_
