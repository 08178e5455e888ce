// SPDX-License-Identifier: Apache-2.0
#include "base/buffer.h"

#include <array>

namespace base {
namespace {

Error TooShort() {
  return {ErrorCode::kCorrupt, "the data ends before its last field"};
}

}  // namespace

template <std::unsigned_integral T>
Result<T> Reader::Integer() {
  ASSIGN_OR_RETURN(const ByteView bytes, Take(sizeof(T)));
  T value = 0;
  for (const std::uint8_t byte : bytes) {
    value = static_cast<T>(static_cast<std::uint64_t>(value) << 8 | byte);
  }
  return value;
}

Result<std::uint8_t> Reader::U8() { return Integer<std::uint8_t>(); }
Result<std::uint16_t> Reader::U16() { return Integer<std::uint16_t>(); }
Result<std::uint32_t> Reader::U32() { return Integer<std::uint32_t>(); }
Result<std::uint64_t> Reader::U64() { return Integer<std::uint64_t>(); }

Result<ByteView> Reader::Take(std::size_t size) {
  if (size > rest_.size()) {
    return TooShort();
  }
  const ByteView taken = rest_.first(size);
  rest_ = rest_.subspan(size);
  return taken;
}

Result<ByteView> Reader::Sized(std::size_t max) {
  ASSIGN_OR_RETURN(const std::uint32_t size, U32());
  if (size > max) {
    return Error{ErrorCode::kCorrupt, "a field is longer than its format has"};
  }
  return Take(size);
}

Status Reader::End() const {
  if (!rest_.empty()) {
    return Error{ErrorCode::kCorrupt, "there are bytes after the last field"};
  }
  return {};
}

template <std::unsigned_integral T>
Writer& Writer::Integer(T value) {
  std::array<std::uint8_t, sizeof(T)> bytes;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    bytes[sizeof(T) - 1 - i] = static_cast<std::uint8_t>(value >> (8 * i));
  }
  return Raw(bytes);
}

Writer& Writer::U8(std::uint8_t value) { return Integer(value); }
Writer& Writer::U16(std::uint16_t value) { return Integer(value); }
Writer& Writer::U32(std::uint32_t value) { return Integer(value); }
Writer& Writer::U64(std::uint64_t value) { return Integer(value); }

Writer& Writer::Raw(ByteView bytes) {
  if (!ok_ || bytes.size() > max_ - bytes_.size()) {
    ok_ = false;
    return *this;
  }
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  return *this;
}

Writer& Writer::Sized(ByteView bytes) {
  if (bytes.size() > UINT32_MAX) {
    ok_ = false;
    return *this;
  }
  return U32(static_cast<std::uint32_t>(bytes.size())).Raw(bytes);
}

}  // namespace base
