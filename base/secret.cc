// SPDX-License-Identifier: Apache-2.0
#include "base/secret.h"

#include <openssl/crypto.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

namespace base {

namespace {

// Whether this program has sized a heap for its secrets.
std::atomic<bool> has_own_heap = false;

// The address of an empty Secret: to C interfaces a null pointer means another
// thing than no bytes. Most Secrets begin empty, to be moved to.
std::uint8_t nowhere = 0;

std::uint8_t* Allocate(std::size_t size) {
  if (size == 0) {
    return &nowhere;
  }
  void* bytes = OPENSSL_secure_zalloc(size);
  // A library's host has sized its heap for itself: that it is spent is no
  // reason to end the host.
  if (bytes == nullptr && !has_own_heap.load()) {
    bytes = OPENSSL_zalloc(size);
  }
  return static_cast<std::uint8_t*>(bytes);
}

}  // namespace

Secret::Secret(std::size_t size)
    : bytes_(Allocate(size), WipeAndFree{size}), size_(size) {
  if (bytes_ == nullptr) {
    std::abort();
  }
}

Secret::Secret(Secret&& other) noexcept
    : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  bytes_ = std::move(other.bytes_);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

Secret Secret::CopyOf(std::span<const std::uint8_t> bytes) {
  Secret copy(bytes.size());
  std::copy(bytes.begin(), bytes.end(), copy.bytes_.get());
  return copy;
}

Secret Secret::CopyOf(std::string_view text) {
  Secret copy(text.size());
  std::copy(text.begin(), text.end(), copy.bytes_.get());
  return copy;
}

std::string_view Secret::RevealText() const {
  return {reinterpret_cast<const char*>(bytes_.get()), size_};
}

void Secret::Truncate(std::size_t size) {
  if (size < size_) {
    OPENSSL_cleanse(bytes_.get() + size, size_ - size);
    size_ = size;
  }
}

void Secret::WipeAndFree::operator()(std::uint8_t* bytes) const noexcept {
  if (capacity > 0) {
    OPENSSL_secure_clear_free(bytes, capacity);
  }
}

bool ConstantTimeEqual(std::span<const std::uint8_t> a,
                       std::span<const std::uint8_t> b) {
  return a.size() == b.size() &&
         CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Result<bool> InitSecureHeap(std::size_t bytes, UnlockedMemory unlocked) {
  // 1 = locked; 2 = made, but mlock or madvise failed; 0 = no heap at all.
  has_own_heap.store(true);
  const int made = CRYPTO_secure_malloc_init(std::bit_ceil(bytes), 32);
  if (made == 1) {
    return true;
  }
  if (unlocked == UnlockedMemory::kRefuse) {
    return Error{ErrorCode::kIo,
                 "cannot lock " + std::to_string(bytes) +
                     " bytes of memory for secrets: raise RLIMIT_MEMLOCK "
                     "(LimitMEMLOCK= in the systemd unit, or ulimit -l)"};
  }
  return false;
}

Status ForbidCoreDumps() {
  const rlimit none = {0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0 ||
      prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    return Error{ErrorCode::kIo, std::string("cannot turn core dumps off: ") +
                                     std::strerror(errno)};
  }
  return {};
}

}  // namespace base
