// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGER_LINE_READER_H_
#define TOOLS_CLAVIGER_LINE_READER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tools/claviger/envelope_header.h"

namespace tools::claviger {

// A LineReader cuts a stream into batches of whole lines, in memory that does
// not depend on how long the stream or a line of it is. Not thread-safe.
class LineReader {
 public:
  struct Limits {
    std::size_t batch_bytes;  // A batch is full from here on.
    std::size_t line_bytes;   // What is longer is cut: see Read().
  };

  // `ready` tells whether reading from `source` would not have to wait.
  LineReader(Source source, std::function<bool()> ready, Limits limits);

  bool at_end() const { return at_end_; }

  // Waits for input, then reads until a batch is full or nothing is ready.
  // Returns the lines that are complete, each with its line break but for the
  // last one of the stream, which may lack it; none if there is only a part of
  // one so far. Of a line that is longer than the limit the first bytes are
  // left, one more than the limit. Fails with what the source fails with.
  base::Result<std::string> Read();

 private:
  void Append(std::string_view bytes);

  Source source_;
  std::function<bool()> ready_;
  Limits limits_;
  std::vector<std::uint8_t> buffer_;
  std::string text_;          // Lines, and the start of the next one.
  std::size_t complete_ = 0;  // How much of it is whole lines.
  bool at_end_ = false;
};

// Calls `visit` with each line of `batch`, without its line break.
template <typename Visit>
void ForEachLine(std::string_view batch, Visit visit) {
  while (!batch.empty()) {
    const std::size_t end = std::min(batch.find('\n'), batch.size());
    visit(batch.substr(0, end));
    batch.remove_prefix(std::min(end + 1, batch.size()));
  }
}

}  // namespace tools::claviger

#endif  // TOOLS_CLAVIGER_LINE_READER_H_
