// SPDX-License-Identifier: Apache-2.0
#include "tools/claviger/line_reader.h"

#include <utility>

#include "base/bytes.h"

namespace tools::claviger {
namespace {

constexpr std::size_t kReadBytes = 64U << 10;  // What a pipe holds.

}  // namespace

LineReader::LineReader(Source source, std::function<bool()> ready,
                       Limits limits)
    : source_(std::move(source)),
      ready_(std::move(ready)),
      limits_(limits),
      buffer_(kReadBytes) {}

base::Result<std::string> LineReader::Read() {
  do {
    ASSIGN_OR_RETURN(const std::size_t size, source_(buffer_));
    if (size == 0) {
      at_end_ = true;
      complete_ = text_.size();
      break;
    }
    Append(base::AsText({buffer_.data(), size}));
  } while (complete_ < limits_.batch_bytes && ready_());
  std::string rest = text_.substr(complete_);
  text_.resize(std::exchange(complete_, 0));
  return std::exchange(text_, std::move(rest));
}

void LineReader::Append(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::size_t room =
        limits_.line_bytes + 1 - (text_.size() - complete_);
    text_.append(bytes.substr(0, std::min(end, room)));
    if (end == std::string_view::npos) {
      return;
    }
    text_.push_back('\n');
    complete_ = text_.size();
    bytes.remove_prefix(end + 1);
  }
}

}  // namespace tools::claviger
