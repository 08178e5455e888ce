// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_SECRET_H_
#define BASE_SECRET_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/result.h"

namespace base {

// A Secret owns bytes that must not outlive their use: PINs, plaintext and data
// keys on their way to the client, credentials.
//
// The bytes live on OpenSSL's secure heap (locked, excluded from core dumps)
// where InitSecureHeap() made one, and are overwritten before release. A Secret
// can be moved but not copied, printed, or compared with ==; Reveal() is the
// only way in, so `git grep Reveal` lists every place where secret bytes are
// read. Not synchronised.
class Secret {
 public:
  Secret() : Secret(0) {}

  // Creates a Secret of `size` zero bytes. Aborts if InitSecureHeap()'s heap is
  // spent; where a library's host made the heap, ordinary memory has to do.
  explicit Secret(std::size_t size);

  // What was moved from is empty.
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  ~Secret() = default;

  static Secret CopyOf(std::span<const std::uint8_t> bytes);
  static Secret CopyOf(std::string_view text);

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::span<std::uint8_t> Reveal() { return {bytes_.get(), size_}; }
  std::span<const std::uint8_t> Reveal() const { return {bytes_.get(), size_}; }

  // The same bytes as text, for PINs and passwords.
  std::string_view RevealText() const;

  // Shrinks to the first `size` bytes and wipes the rest.
  void Truncate(std::size_t size);

 private:
  struct WipeAndFree {
    std::size_t capacity;
    void operator()(std::uint8_t* bytes) const noexcept;
  };

  std::unique_ptr<std::uint8_t[], WipeAndFree> bytes_;
  std::size_t size_;
};

// Compares in time that depends on the sizes only.
bool ConstantTimeEqual(std::span<const std::uint8_t> a,
                       std::span<const std::uint8_t> b);

// Whether a process may go on when its memory cannot be locked.
enum class UnlockedMemory : std::uint8_t { kRefuse, kAllow };

// Makes the secure heap of this process: `bytes` (rounded up to a power of two)
// of locked memory that is left out of core dumps. Call once, from main(),
// before threads exist; never in a library that others load. Returns whether
// the memory is locked; fails with kIo if it is not and `unlocked` says
// kRefuse, naming RLIMIT_MEMLOCK.
Result<bool> InitSecureHeap(std::size_t bytes, UnlockedMemory unlocked);

// Turns core dumps and ptrace by others off for this process
// (RLIMIT_CORE 0, PR_SET_DUMPABLE 0).
Status ForbidCoreDumps();

}  // namespace base

#endif  // BASE_SECRET_H_
