// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/wrapping.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "kms/key_spec.h"

namespace kms::operations {
namespace {

using base::Error;
using base::ErrorCode;
using hsm::WrappingAlgorithm;

struct PairRow {
  std::string_view spec;
  hsm::Algorithm algorithm;
  std::size_t modulus;  // Bytes.
};
constexpr std::array kPairs = {
    PairRow{"RSA_2048", hsm::Algorithm::kRsa2048Unwrap, 256},
    PairRow{"RSA_3072", hsm::Algorithm::kRsa3072Unwrap, 384},
    PairRow{"RSA_4096", hsm::Algorithm::kRsa4096Unwrap, 512},
};

// What RSAES-OAEP takes off (RFC 8017, 7.1.1); 0 if it wraps an AES key only.
struct Overhead {
  WrappingAlgorithm algorithm;
  std::size_t bytes;
};
constexpr std::array kOverheads = {
    Overhead{WrappingAlgorithm::kOaepSha1, 2 * 20 + 2},
    Overhead{WrappingAlgorithm::kOaepSha256, 2 * 32 + 2},
};

// The PKCS#8 of a P-521 key, with its public half.
constexpr std::size_t kP521Size = 241;

bool Fits(const Key& key, const PairRow& pair, WrappingAlgorithm algorithm) {
  const auto overhead =
      std::ranges::find(kOverheads, algorithm, &Overhead::algorithm);
  if (overhead == kOverheads.end()) {
    return true;
  }
  if (ModulusSize(key.spec) != 0) {
    return false;  // No RSA key fits into what an RSA key wraps.
  }
  return key.spec != KeySpec::kEccNistP521 ||
         pair.modulus >= kP521Size + overhead->bytes;
}

}  // namespace

base::Result<Wrapping> ChooseWrapping(const Key& key, std::string_view key_spec,
                                      std::string_view algorithm) {
  const auto* const pair = std::ranges::find(kPairs, key_spec, &PairRow::spec);
  const auto parsed = ParseWrappingAlgorithm(algorithm);
  if (pair == kPairs.end() || !parsed) {
    return Error{ErrorCode::kUnsupportedOperation,
                 fmt::format("WrappingAlgorithm {} with WrappingKeySpec {} is "
                             "not supported by this server.",
                             algorithm, key_spec)};
  }
  if (!Fits(key, *pair, *parsed)) {
    return Error{ErrorCode::kUnsupportedOperation,
                 fmt::format("Key material of key spec {} cannot be wrapped by "
                             "{} under {}.",
                             KeySpecName(key.spec), algorithm, key_spec)};
  }
  return Wrapping{.pair = pair->algorithm, .algorithm = *parsed};
}

}  // namespace kms::operations
