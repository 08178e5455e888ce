// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

namespace pkcs11::module {

void LogLine(std::string_view text) {
  const int before = errno;  // The host's.
  std::string line = fmt::format("claviger-pkcs11[{}]: {}", getpid(), text);
  std::ranges::replace_if(
      line, [](char c) { return (c >= 0 && c < 0x20) || c == 0x7F; }, '?');
  line.push_back('\n');
  // One write, so that lines of several threads stay whole. Nobody could be
  // told that it failed.
  [[maybe_unused]] const ssize_t written =
      write(STDERR_FILENO, line.data(), line.size());
  errno = before;
}

}  // namespace pkcs11::module
