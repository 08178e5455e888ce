// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGER_PROGRESS_H_
#define TOOLS_CLAVIGER_PROGRESS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "tools/claviger/envelope_header.h"

namespace tools::claviger {

// A Progress draws one line on standard error while bytes go by, if that is a
// terminal, and removes it in the end. It draws when the percentage changes;
// or, where the total is unknown, every 64 MiB.
class Progress {
 public:
  explicit Progress(std::optional<std::uint64_t> total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Add(std::size_t bytes);

  // `source`, counted. Both must outlive the result.
  Source Count(const Source& source);

 private:
  void Draw(std::uint64_t step);

  std::optional<std::uint64_t> total_;
  bool visible_;
  std::uint64_t done_ = 0;
  std::optional<std::uint64_t> drawn_;  // The step that was drawn last.
};

// The line for `done` of `total` bytes: "  42% [########            ] 1.5 GiB".
std::string ProgressLine(std::uint64_t done,
                         std::optional<std::uint64_t> total);

}  // namespace tools::claviger

#endif  // TOOLS_CLAVIGER_PROGRESS_H_
