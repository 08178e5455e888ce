// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_HTTP_REPLY_H_
#define KMS_HTTP_REPLY_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/wiping.h"
#include "kms/http/message.h"

namespace kms::http {

// A DateLine is the Date header of RFC 9110, 6.6.1, formatted once a second:
// AWS's SDKs correct their clocks by it. Not synchronised.
class DateLine {
 public:
  // "Date: Sun, 22 Nov 2026 14:00:00 GMT\r\n"; valid until the next call.
  std::string_view At(base::WallTime now);

 private:
  std::chrono::sys_seconds second_ = std::chrono::sys_seconds::min();
  std::string line_;
};

// What the Connection header says: HTTP/1.1 keeps alive without a word.
enum class ConnectionWord : std::uint8_t { kNone, kKeepAlive, kClose };

// Whether the reply to this method has a body (a HEAD's has not).
enum class BodyRule : std::uint8_t { kSend, kOmit };

// Writes `response` as the bytes that go out, in place of what is in `out`.
void FormatReply(const HttpResponse& response, std::string_view date_line,
                 ConnectionWord connection, BodyRule body_rule,
                 base::WipingString& out);

// A response of plain text, for what no API answers.
HttpResponse PlainText(unsigned status, std::string_view text);

}  // namespace kms::http

#endif  // KMS_HTTP_REPLY_H_
