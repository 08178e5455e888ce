// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"

#include <openssl/rand.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>

#include "base/bytes.h"

namespace base {

void RandomBytes(std::span<std::uint8_t> out) {
  if (RAND_priv_bytes(out.data(), static_cast<int>(out.size())) != 1) {
    std::abort();
  }
}

namespace {

// How many forks lie between this process and the first.
std::atomic<unsigned> forks = 0;

// Random bytes for identifiers, which are no secrets: drawn in blocks, since a
// call of the generator costs ten times the copy of 16 bytes.
class UuidBytes {
 public:
  void Fill(std::span<std::uint8_t, 16> out) {
    // After a fork both processes would hand out the same.
    static const int watched = pthread_atfork(nullptr, nullptr, [] {
      forks.fetch_add(1, std::memory_order_relaxed);
    });
    const unsigned now = forks.load(std::memory_order_relaxed);
    if (used_ == block_.size() || now != drawn_at_ || watched != 0) {
      RandomBytes(block_);
      used_ = 0;
      drawn_at_ = now;
    }
    std::copy_n(block_.begin() + static_cast<std::ptrdiff_t>(used_), out.size(),
                out.begin());
    used_ += out.size();
  }

 private:
  std::array<std::uint8_t, 1024> block_{};
  std::size_t used_ = block_.size();
  unsigned drawn_at_ = 0;  // Of `forks`.
};

}  // namespace

Uuid NewUuid() {
  thread_local UuidBytes source;
  Uuid uuid;
  source.Fill(uuid.bytes);
  uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0F) | 0x40);
  uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3F) | 0x80);
  return uuid;
}

std::string UuidText(const Uuid& uuid) {
  std::string text;
  text.reserve(36);
  ByteView rest = uuid.bytes;
  for (const std::size_t group : {4, 2, 2, 2, 6}) {
    text.append(text.empty() ? "" : "-");
    HexAppend(rest.first(group), text);
    rest = rest.subspan(group);
  }
  return text;
}

std::string NewUuidText() { return UuidText(NewUuid()); }

}  // namespace base
