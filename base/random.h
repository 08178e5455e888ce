// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_RANDOM_H_
#define BASE_RANDOM_H_

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace base {

// Fills `out` from OpenSSL's private generator. Aborts if the generator fails:
// there is no safe way on without randomness. Safe to call from any thread.
void RandomBytes(std::span<std::uint8_t> out);

// A Uuid is the 16 bytes of an RFC 4122 identifier.
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};
  bool operator==(const Uuid&) const = default;
};

// A random (version 4) Uuid, and its text: 8-4-4-4-12 lower-case hexadecimal.
Uuid NewUuid();
std::string UuidText(const Uuid& uuid);
std::string NewUuidText();

}  // namespace base

#endif  // BASE_RANDOM_H_
