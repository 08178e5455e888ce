// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/output.h"

#include <algorithm>

namespace pkcs11::module {

bool Output::HasRoomFor(std::size_t needed) {
  if (bytes_ == nullptr || *size_ < needed) {
    *size_ = needed;
    return false;
  }
  return true;
}

Status Output::NoRoom() const {
  if (bytes_ == nullptr) {
    return {};
  }
  return Failure(CKR_BUFFER_TOO_SMALL);
}

void Output::Write(base::ByteView made) {
  std::ranges::copy(made, bytes_);
  *size_ = made.size();
}

void FillPadded(std::span<CK_UTF8CHAR> field, std::string_view text) {
  std::size_t size = std::min(text.size(), field.size());
  // Back to the first byte of a character: 10xxxxxx is none.
  while (size > 0 && size < text.size() &&
         (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) {
    --size;
  }
  std::ranges::fill(field, ' ');
  std::ranges::copy(text.substr(0, size), field.begin());
}

}  // namespace pkcs11::module
