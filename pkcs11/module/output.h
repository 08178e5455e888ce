// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_OUTPUT_H_
#define PKCS11_MODULE_OUTPUT_H_

#include <cstddef>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "pkcs11/module/answer.h"

namespace pkcs11::module {

// An Output is where a C function writes what it made: PKCS#11 2.40 section
// 5.2, "Conventions for functions returning output in a variable-length
// buffer". `size` is borrowed and not null; `bytes` may be null.
class Output {
 public:
  Output(CK_BYTE* bytes, CK_ULONG* size) : bytes_(bytes), size_(size) {}

  // Whether `needed` bytes fit. If not, tells the caller how many are needed.
  bool HasRoomFor(std::size_t needed);

  // What to return where there is no room: success to who only asked for the
  // length, else CKR_BUFFER_TOO_SMALL.
  Status NoRoom() const;

  // Writes; HasRoomFor() has said yes to as many.
  void Write(base::ByteView made);

 private:
  CK_BYTE* bytes_;
  CK_ULONG* size_;
};

// Fills a blank-padded field of a CK_*_INFO. What does not fit is cut, between
// characters of UTF-8.
void FillPadded(std::span<CK_UTF8CHAR> field, std::string_view text);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_OUTPUT_H_
