// SPDX-License-Identifier: Apache-2.0
#include "tools/claviger/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

namespace tools::claviger {
namespace {

constexpr std::uint64_t kStepBytes = 64U << 20;
constexpr std::size_t kBarWidth = 30;

std::uint64_t Percent(std::uint64_t done, std::uint64_t total) {
  // A file may grow while it is read.
  return total == 0 ? 100
                    : std::min<std::uint64_t>(
                          100, static_cast<std::uint64_t>(
                                   100.0 * static_cast<double>(done) /
                                   static_cast<double>(total)));
}

std::string SizeText(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB",
                                                 "TiB"};
  auto size = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (size >= 1024 && unit + 1 < kUnits.size()) {
    size /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", size, kUnits[unit]);
}

}  // namespace

std::string ProgressLine(std::uint64_t done,
                         std::optional<std::uint64_t> total) {
  if (!total.has_value()) {
    return SizeText(done);
  }
  const std::uint64_t percent = Percent(done, *total);
  const std::size_t filled = kBarWidth * percent / 100;
  return fmt::format("{:3}% [{}{}] {}", percent, std::string(filled, '#'),
                     std::string(kBarWidth - filled, ' '), SizeText(done));
}

Progress::Progress(std::optional<std::uint64_t> total)
    : total_(total), visible_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (drawn_.has_value()) {
    fmt::print(stderr, "\r\033[K");
    std::fflush(stderr);
  }
}

void Progress::Add(std::size_t bytes) {
  done_ += bytes;
  if (visible_) {
    Draw(total_.has_value() ? Percent(done_, *total_) : done_ / kStepBytes);
  }
}

void Progress::Draw(std::uint64_t step) {
  if (drawn_ == step) {
    return;
  }
  drawn_ = step;
  fmt::print(stderr, "\r\033[K{}", ProgressLine(done_, total_));
  std::fflush(stderr);
}

Source Progress::Count(const Source& source) {
  return [this,
          &source](std::span<std::uint8_t> into) -> base::Result<std::size_t> {
    ASSIGN_OR_RETURN(const std::size_t got, source(into));
    Add(got);
    return got;
  };
}

}  // namespace tools::claviger
