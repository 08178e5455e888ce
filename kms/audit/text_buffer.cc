// SPDX-License-Identifier: Apache-2.0
#include "kms/audit/text_buffer.h"

namespace kms::audit {

// Out of line, so that what calls it is small enough to be inlined.
void TextBuffer::Grow(std::size_t size) {
  text_.resize(std::max(2 * text_.size(), size_ + size));
}

}  // namespace kms::audit
