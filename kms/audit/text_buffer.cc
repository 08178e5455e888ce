// SPDX-License-Identifier: Apache-2.0
#include "kms/audit/text_buffer.h"

#include <vector>

namespace kms::audit {

// Out of line, so that what calls it is small enough to be inlined.
void TextBuffer::Grow(std::size_t size) {
  text_.resize(std::max(2 * text_.size(), size_ + size));
}

namespace {

// As many events as a loaded thread has on their way; few are larger.
constexpr std::size_t kMostSpare = 128;
constexpr std::size_t kLargestSpare = 4096;

std::vector<std::string>& SpareTexts() {
  thread_local std::vector<std::string> texts;
  return texts;
}

}  // namespace

std::string TakeSpareText() {
  std::vector<std::string>& texts = SpareTexts();
  if (texts.empty()) {
    return {};
  }
  std::string text = std::move(texts.back());
  texts.pop_back();
  return text;
}

void KeepSpareText(std::string text) {
  std::vector<std::string>& texts = SpareTexts();
  if (texts.size() < kMostSpare && text.capacity() <= kLargestSpare) {
    texts.push_back(std::move(text));
  }
}

}  // namespace kms::audit
