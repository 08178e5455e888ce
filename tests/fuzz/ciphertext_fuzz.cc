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
  if (parsed.has_value() &&
      !std::ranges::equal(
          kms::SerializeCiphertext(parsed->header, parsed->sealed), blob)) {
    std::abort();
  }
  return 0;
}
