// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/xaes_derivation.h"

#include <algorithm>
#include <functional>

#include "hsm/token/attributes.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

// The token's answer to `blocks` that is not a key, so it may be read.
base::Result<base::Secret> DeriveReadable(Sessions& sessions, ObjectHandle key,
                                          base::ByteView blocks) {
  Session& anchor = sessions.anchor();
  const Template readable = ReadableTemplate(blocks.size());
  ASSIGN_OR_RETURN(const ObjectHandle object,
                   anchor.DeriveKey(key, blocks, readable).Take());
  auto value = anchor.ReadSecret(object);
  RETURN_IF_ERROR(anchor.DestroyObject(object).Done());
  ASSIGN_OR_RETURN(base::Secret bytes, std::move(value).Take());
  if (bytes.size() != blocks.size()) {
    return Error{ErrorCode::kCorrupt, "a derived secret has a wrong length"};
  }
  return bytes;
}

// (00 01 purpose 00 || P) xor K1, then the same with 02.
base::Secret Blocks(Purpose purpose, const P12& p, const base::Secret& k1) {
  base::Secret blocks(2 * sizeof(Block));
  for (std::uint8_t counter = 1; counter <= 2; ++counter) {
    const auto block =
        blocks.Reveal().subspan((counter - 1) * sizeof(Block), sizeof(Block));
    block[1] = counter;
    block[2] = static_cast<std::uint8_t>(purpose);
    std::ranges::copy(p, block.begin() + 4);
    std::ranges::transform(block, k1.Reveal(), block.begin(), std::bit_xor<>());
  }
  return blocks;
}

}  // namespace

P12 PrefixOf(const Nonce& nonce) {
  P12 p;
  std::copy_n(nonce.begin(), p.size(), p.begin());
  return p;
}

void Double(std::span<std::uint8_t, 16> block) {
  constexpr std::uint8_t kReduction = 0x87;  // x^128 = x^7 + x^2 + x + 1.
  const auto carry = static_cast<std::uint8_t>(block[0] >> 7);
  for (std::size_t i = 0; i + 1 < block.size(); ++i) {
    block[i] = static_cast<std::uint8_t>(block[i] << 1 | block[i + 1] >> 7);
  }
  block[15] = static_cast<std::uint8_t>(block[15] << 1 ^ carry * kReduction);
}

base::Result<base::Secret> DeriveK1(Sessions& sessions, ObjectHandle key) {
  ASSIGN_OR_RETURN(base::Secret k1, DeriveReadable(sessions, key, Block{}));
  Double(k1.Reveal().first<16>());
  return k1;
}

base::Result<ObjectHandle> DeriveMessageKey(Sessions& sessions,
                                            ObjectHandle key,
                                            const base::Secret& k1,
                                            const P12& p,
                                            const Template& message_key) {
  const base::Secret blocks = Blocks(Purpose::kMessageKey, p, k1);
  return sessions.anchor().DeriveKey(key, blocks.Reveal(), message_key).Take();
}

base::Result<CheckValue> DeriveCheckValue(Sessions& sessions, ObjectHandle key,
                                          const base::Secret& k1) {
  const base::Secret blocks = Blocks(Purpose::kCheckValue, P12{}, k1);
  ASSIGN_OR_RETURN(const base::Secret bytes,
                   DeriveReadable(sessions, key, blocks.Reveal()));
  CheckValue check_value{};
  std::ranges::copy(bytes.Reveal(), check_value.begin());
  return check_value;
}

}  // namespace hsm::token
