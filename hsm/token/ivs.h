// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_IVS_H_
#define HSM_TOKEN_IVS_H_

#include <array>
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "hsm/token/cryptoki.h"
#include "hsm/token/lru.h"

namespace hsm::token {

using Iv = std::array<std::uint8_t, 12>;

// Who makes the IV of an encryption by AES-GCM. Decryption is given it.
enum class IvMaker : std::uint8_t { kCaller, kTokenInPlace, kTokenAppends };

struct IvMakerRow {
  IvMaker maker;
  std::size_t appended;  // Bytes behind ciphertext || tag.
  std::string_view words;
};
inline constexpr std::array kIvMakers = {
    IvMakerRow{IvMaker::kCaller, 0, "the caller makes the IV"},
    IvMakerRow{IvMaker::kTokenInPlace, 0,
               "the token makes the IV, and writes it over the caller's"},
    IvMakerRow{IvMaker::kTokenAppends, Iv().size(),
               "the token makes the IV, and appends it to the ciphertext"},
};
constexpr const IvMakerRow& RowOf(IvMaker maker) {
  return kIvMakers[static_cast<std::size_t>(maker)];
}
static_assert(RowOf(IvMaker::kTokenInPlace).maker == IvMaker::kTokenInPlace &&
              RowOf(IvMaker::kTokenAppends).maker == IvMaker::kTokenAppends);

// Ivs knows who makes the IVs of one token, and the last that the token made
// for each key: an IV that comes twice gives both messages away. Not
// thread-safe.
class Ivs {
 public:
  static constexpr std::size_t kMaxKeys = 8192;

  // At first, the caller.
  IvMaker maker() const { return maker_; }
  void set_maker(IvMaker maker) { maker_ = maker; }

  // Notes the IV that the token says it made for a message of `key`. Fails with
  // kCorrupt if it is all zeros, or that of the key's last message.
  base::Status Note(ObjectHandle key, const Iv& iv);

 private:
  IvMaker maker_ = IvMaker::kCaller;
  Lru<ObjectHandle, Iv, std::hash<ObjectHandle>> last_{kMaxKeys};
};

}  // namespace hsm::token

#endif  // HSM_TOKEN_IVS_H_
