// SPDX-License-Identifier: Apache-2.0
// What parses as a ciphertext is spelled in one way only.
#include <algorithm>
#include <cstdlib>

#include "kms/ciphertext.h"

// The name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* bytes, std::size_t size) {
  const base::ByteView blob(bytes, size);
  const auto parsed = kms::ParseCiphertext(blob);
  if (!parsed.has_value()) {
    return 0;
  }
  const bool external =
      parsed->header.algorithm == kms::CiphertextAlgorithm::kExternalKeyStore;
  const base::Bytes again =
      external ? kms::SerializeCiphertext(parsed->header, parsed->sealed.nonce,
                                          parsed->outer)
               : kms::SerializeCiphertext(parsed->header, parsed->sealed);
  if (!std::ranges::equal(again, blob)) {
    std::abort();
  }
  return 0;
}
