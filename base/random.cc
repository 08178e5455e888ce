// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"

#include <openssl/rand.h>

#include <cstdlib>

#include "base/bytes.h"

namespace base {

void RandomBytes(std::span<std::uint8_t> out) {
  if (RAND_priv_bytes(out.data(), static_cast<int>(out.size())) != 1) {
    std::abort();
  }
}

Uuid NewUuid() {
  Uuid uuid;
  RandomBytes(uuid.bytes);
  uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0F) | 0x40);
  uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3F) | 0x80);
  return uuid;
}

std::string UuidText(const Uuid& uuid) {
  std::string text = HexEncode(uuid.bytes);
  for (const std::size_t dash : {8, 13, 18, 23}) {
    text.insert(dash, 1, '-');
  }
  return text;
}

std::string NewUuidText() { return UuidText(NewUuid()); }

}  // namespace base
