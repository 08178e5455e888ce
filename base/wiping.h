// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_WIPING_H_
#define BASE_WIPING_H_

#include <openssl/crypto.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace base {

// A WipingAllocator overwrites memory before it gives it back. It is for
// buffers that secrets pass through (requests, frames, replies); bytes that
// stay belong in a Secret.
template <typename T>
class WipingAllocator {
 public:
  using value_type = T;

  WipingAllocator() = default;
  template <typename U>
  WipingAllocator(  // NOLINT(google-explicit-constructor)
      const WipingAllocator<U>&) noexcept {}

  T* allocate(std::size_t n) { return std::allocator<T>().allocate(n); }
  void deallocate(T* p, std::size_t n) noexcept {
    OPENSSL_cleanse(p, n * sizeof(T));
    std::allocator<T>().deallocate(p, n);
  }
  bool operator==(const WipingAllocator&) const { return true; }
};

using WipingBytes = std::vector<std::uint8_t, WipingAllocator<std::uint8_t>>;

// A std::basic_string keeps up to 15 characters inside the object, where no
// allocator sees them: the holder of a short secret reserves 16 or more first.
using WipingString =
    std::basic_string<char, std::char_traits<char>, WipingAllocator<char>>;

}  // namespace base

#endif  // BASE_WIPING_H_
