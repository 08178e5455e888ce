// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_LOG_H_
#define BASE_LOG_H_

#include <fmt/format.h>

#include <cstdint>
#include <string_view>
#include <utility>

namespace base {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };

// Logs to standard error, one line a message, from any thread. Never pass a
// Secret, a request body, ciphertext or a bound SQL value.
void InitLog(std::string_view program, LogLevel level);
void LogLine(LogLevel level, std::string_view text);

template <typename... Args>
void LogInfo(fmt::format_string<Args...> format, Args&&... args) {
  LogLine(LogLevel::kInfo, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void LogWarning(fmt::format_string<Args...> format, Args&&... args) {
  LogLine(LogLevel::kWarning, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void LogError(fmt::format_string<Args...> format, Args&&... args) {
  LogLine(LogLevel::kError, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace base

#endif  // BASE_LOG_H_
