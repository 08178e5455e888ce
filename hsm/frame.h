// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_FRAME_H_
#define HSM_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/wiping.h"
#include "hsm/codec.h"
#include "hsm/operations.h"

namespace hsm {

// A FrameHead is the fixed start of every frame. `tag` is an operation number
// in a request and a status number in a reply.
struct FrameHead {
  std::uint32_t length;  // Of what follows the length field.
  std::uint32_t slot;
  std::uint8_t tag;
};

inline constexpr std::size_t kFrameHeadSize = 4 + 4 + 1;
inline constexpr std::size_t kMinFrame = kFrameHeadSize - 4;

// A Frame is borrowed from the FrameBuffer that it was taken from.
struct Frame {
  std::uint32_t slot;
  std::uint8_t tag;
  base::ByteView payload;
};

// Appends the frame of `message` to `out`. Fails with kInvalidArgument, and
// leaves `out` as it was, if a field of the message is over its bound.
template <HasFields Message>
base::Status AppendFrame(std::uint32_t slot, std::uint8_t tag,
                         const Message& message, base::WipingBytes& out,
                         std::size_t max = kMaxFrame);

// Appends the reply that says `error`.
void AppendError(std::uint32_t slot, const base::Error& error,
                 base::WipingBytes& out);

// The error that a reply with a status other than 0 carries; nothing if it is
// malformed.
std::optional<base::Error> DecodeError(const Frame& frame);

// Overwrites what is in `buffer` and empties it; its memory is kept.
void WipeAndClear(base::WipingBytes& buffer);

// A FrameBuffer collects the bytes of a stream and hands out whole frames.
// Bytes that were handed out are wiped when room is made for new ones. It is
// not synchronised.
class FrameBuffer {
 public:
  FrameBuffer();

  // Room for what comes next; never empty. Ends the validity of all Frames.
  std::span<std::uint8_t> Space();
  // `size` bytes of the last Space() have come.
  void Filled(std::size_t size) { end_ += size; }

  // The head of the next frame, once it is here. The caller checks its length
  // before it calls Take(): that is where memory is promised to the peer.
  std::optional<FrameHead> Head() const;
  // The next frame, whose head is `head`, once it is here.
  std::optional<Frame> Take(const FrameHead& head);

 private:
  base::WipingBytes bytes_;
  std::size_t begin_ = 0;   // What is before was handed out.
  std::size_t end_ = 0;     // What is behind is free.
  std::size_t needed_ = 0;  // Of the frame that has begun.
};

namespace internal {

// Fills in the length of the frame that starts at `start`.
void CloseFrame(base::WipingBytes& out, std::size_t start);

}  // namespace internal

template <HasFields Message>
base::Status AppendFrame(std::uint32_t slot, std::uint8_t tag,
                         const Message& message, base::WipingBytes& out,
                         std::size_t max) {
  const std::size_t start = out.size();
  base::Writer writer(start + 4 + max, std::move(out));
  writer.U32(0).U32(slot).U8(tag);
  Encoder encoder(writer);
  encoder.Put(message);
  const bool ok = encoder.Ok();
  out = std::move(writer).Take();
  if (!ok) {
    out.resize(start);
    return base::Error{base::ErrorCode::kInvalidArgument,
                       "the message is longer than the protocol allows"};
  }
  internal::CloseFrame(out, start);
  return {};
}

}  // namespace hsm

#endif  // HSM_FRAME_H_
