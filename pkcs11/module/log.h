// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_LOG_H_
#define PKCS11_MODULE_LOG_H_

#include <cstdint>
#include <string>
#include <string_view>

// The log of the module, which lives in other people's programs: their loggers,
// and what syslog(3) keeps for them, are not touched, and no descriptor stays
// open between two lines.
namespace pkcs11::module {

enum class LogLevel : std::uint8_t { kError, kWarning, kInfo, kDebug };
enum class LogTarget : std::uint8_t { kStandardError, kSyslog, kFile };

// Where lines go, and which.
struct LogSettings {
  LogTarget target = LogTarget::kStandardError;
  std::string file;  // Of kFile: appended to, made where it is missing.
  LogLevel level = LogLevel::kWarning;  // And what weighs more.
  std::string syslog_socket = "/dev/log";

  bool operator==(const LogSettings&) const = default;
};

// For the whole process, from now on.
void SetLog(const LogSettings& settings);

// Whether lines of this level are written: for those that take effort.
bool IsLogged(LogLevel level);

// Writes one line, from any thread, also in a child after a fork; where that
// cannot be done, to standard error. Control characters are replaced, since a
// message may hold what the server sent. Never pass plaintext, a PIN or a
// signature's message.
void LogLine(LogLevel level, std::string_view text);
// A warning: whatever an operator should look at.
void LogLine(std::string_view text);

// An error of the configuration: a line on standard error and one in the
// system's log, wherever others go.
void LogEverywhere(std::string_view text);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_LOG_H_
