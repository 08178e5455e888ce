// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_AUDIT_TEXT_BUFFER_H_
#define KMS_AUDIT_TEXT_BUFFER_H_

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace kms::audit {

// A TextBuffer is a text that grows at its end. An event has some two hundred
// pieces of a few bytes each, for each of which std::string makes a call; here
// the room is made once, and adding a piece is a copy.
class TextBuffer {
 public:
  explicit TextBuffer(std::size_t capacity)
      : TextBuffer(std::string(), capacity) {}
  // Writes over `spare`, which is overwritten or never seen.
  TextBuffer(std::string spare, std::size_t capacity)
      : text_(std::move(spare)) {
    text_.resize(std::max(text_.capacity(), capacity));
  }

  void Add(char c) {
    MakeRoom(1);
    text_[size_++] = c;
  }
  void Add(std::string_view piece) {
    MakeRoom(piece.size());
    size_ += piece.copy(text_.data() + size_, piece.size());
  }

  std::size_t size() const { return size_; }
  void CutTo(std::size_t size) { size_ = std::min(size, size_); }

  // The text, which is taken out.
  std::string Take() && {
    text_.resize(size_);
    return std::move(text_);
  }

 private:
  void MakeRoom(std::size_t size) {
    if (text_.size() - size_ < size) {
      Grow(size);
    }
  }
  void Grow(std::size_t size);

  std::string text_;  // Its tail, from size_ on, is room.
  std::size_t size_ = 0;
};

// Texts of the calling thread that have been written and are to be written
// over: an event is made by one thread and written by another, and memory that
// wanders between threads is dear. Take returns an empty one if there is none.
std::string TakeSpareText();
void KeepSpareText(std::string text);

}  // namespace kms::audit

#endif  // KMS_AUDIT_TEXT_BUFFER_H_
