// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_BUFFER_H_
#define BASE_BUFFER_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "base/wiping.h"

namespace base {

// A Reader takes fields off the front of foreign bytes, big-endian, and never
// reads past their end. The bytes are borrowed; so is every view it returns.
// Every method fails with kCorrupt if too little is left. Not synchronised.
class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}

  Result<std::uint8_t> U8();
  Result<std::uint16_t> U16();
  Result<std::uint32_t> U32();
  Result<std::uint64_t> U64();

  // The next `size` bytes.
  Result<ByteView> Take(std::size_t size);

  // A u32 length of at most `max`, and that many bytes.
  Result<ByteView> Sized(std::size_t max);

  // Succeeds if nothing is left.
  Status End() const;

  std::size_t left() const { return rest_.size(); }
  ByteView rest() const { return rest_; }

 private:
  template <std::unsigned_integral T>
  Result<T> Integer();

  ByteView rest_;
};

// A Writer appends fields, big-endian, to a buffer that it owns and that is
// wiped when released. It refuses to grow past `max`: Ok() turns false, the
// field is left out, and the caller checks once at the end.
class Writer {
 public:
  explicit Writer(std::size_t max) : max_(max) {}
  // Goes on after the bytes of `begun`, which count towards `max`.
  Writer(std::size_t max, WipingBytes begun)
      : max_(max), ok_(begun.size() <= max), bytes_(std::move(begun)) {}

  Writer& U8(std::uint8_t value);
  Writer& U16(std::uint16_t value);
  Writer& U32(std::uint32_t value);
  Writer& U64(std::uint64_t value);
  Writer& Raw(ByteView bytes);
  Writer& Sized(ByteView bytes);  // u32 length, then the bytes.
  Writer& Sized(std::string_view text) { return Sized(AsBytes(text)); }

  bool Ok() const { return ok_; }
  std::size_t size() const { return bytes_.size(); }
  ByteView view() const { return bytes_; }
  WipingBytes Take() && { return std::move(bytes_); }

 private:
  template <std::unsigned_integral T>
  Writer& Integer(T value);

  std::size_t max_;
  bool ok_ = true;
  WipingBytes bytes_;
};

}  // namespace base

#endif  // BASE_BUFFER_H_
