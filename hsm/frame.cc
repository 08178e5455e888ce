// SPDX-License-Identifier: Apache-2.0
#include "hsm/frame.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "hsm/status_codes.h"

namespace hsm {
namespace {

// An error's text is for people: cut, not refused.
constexpr std::size_t kMaxErrorText = 1024;

// Holds a frame of the usual bound and the beginning of another.
constexpr std::size_t kBufferSize = kMaxFrame + 4096;

std::uint32_t LoadU32(const std::uint8_t* at) {
  return static_cast<std::uint32_t>(at[0]) << 24 |
         static_cast<std::uint32_t>(at[1]) << 16 |
         static_cast<std::uint32_t>(at[2]) << 8 | at[3];
}

}  // namespace

void internal::CloseFrame(base::WipingBytes& out, std::size_t start) {
  const auto length = static_cast<std::uint32_t>(out.size() - start - 4);
  for (int i = 0; i < 4; ++i) {
    out[start + i] = static_cast<std::uint8_t>(length >> (24 - 8 * i));
  }
}

void AppendError(std::uint32_t slot, const base::Error& error,
                 base::WipingBytes& out) {
  const std::size_t start = out.size();
  base::Writer writer(start + 4 + kMaxFrame, std::move(out));
  writer.U32(0).U32(slot).U8(StatusNumber(error.code));
  writer.Sized(std::string_view(error.message).substr(0, kMaxErrorText));
  out = std::move(writer).Take();
  internal::CloseFrame(out, start);
}

std::optional<base::Error> DecodeError(const Frame& frame) {
  const std::optional<base::ErrorCode> code = ErrorOfStatus(frame.tag);
  base::Reader reader(frame.payload);
  const auto text = reader.Sized(kMaxErrorText);
  if (!code || !text || !reader.End()) {
    return std::nullopt;
  }
  return base::Error{*code, std::string(base::AsText(*text))};
}

void WipeAndClear(base::WipingBytes& buffer) {
  OPENSSL_cleanse(buffer.data(), buffer.size());
  buffer.clear();
}

FrameBuffer::FrameBuffer() : bytes_(kBufferSize) {}

std::span<std::uint8_t> FrameBuffer::Space() {
  const std::size_t left = end_ - begin_;
  if (begin_ > 0) {
    std::memmove(bytes_.data(), bytes_.data() + begin_, left);
    OPENSSL_cleanse(bytes_.data() + left, end_ - left);
    begin_ = 0;
    end_ = left;
  }
  const std::size_t wanted = std::max(needed_, kBufferSize);
  if (bytes_.size() < wanted ||
      (bytes_.size() > wanted && left <= kBufferSize)) {
    base::WipingBytes other(wanted);
    std::memcpy(other.data(), bytes_.data(), left);
    bytes_ = std::move(other);
  }
  return std::span(bytes_).subspan(end_);
}

std::optional<FrameHead> FrameBuffer::Head() const {
  if (end_ - begin_ < kFrameHeadSize) {
    return std::nullopt;
  }
  const std::uint8_t* head = bytes_.data() + begin_;
  return FrameHead{LoadU32(head), LoadU32(head + 4), head[8]};
}

std::optional<Frame> FrameBuffer::Take(const FrameHead& head) {
  const std::size_t size = std::size_t{4} + head.length;
  if (end_ - begin_ < size) {
    needed_ = size;
    return std::nullopt;
  }
  needed_ = 0;
  const base::ByteView payload(bytes_.data() + begin_ + kFrameHeadSize,
                               size - kFrameHeadSize);
  begin_ += size;
  return Frame{head.slot, head.tag, payload};
}

}  // namespace hsm
