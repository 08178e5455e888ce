// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_AUDIT_JSON_TEXT_H_
#define KMS_AUDIT_JSON_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "kms/audit/text_buffer.h"

// Appending JSON to a string by hand: an audit record costs a microsecond this
// way and ten by building a document first.
namespace kms::audit {

// Appends `text` as a JSON string, quotes included. Control characters are
// escaped, so that the result never holds a line break or a NUL; bytes that are
// not UTF-8 become U+FFFD, one for each maximal ill-formed part (Unicode 15,
// section 3.9), so that whatever a client sends can be recorded.
void AppendJsonString(std::string_view text, TextBuffer& out);

void AppendDecimal(std::uint64_t value, TextBuffer& out);
void AppendDecimal(std::int64_t value, TextBuffer& out);
void AppendDecimal(std::uint64_t value, std::string& out);

// Appends CloudTrail's form of a time: 2026-11-22T10:15:00Z, without quotes.
void AppendTime(base::WallTime time, TextBuffer& out);
void AppendTime(base::WallTime time, std::string& out);

// Reads that form back.
std::optional<base::WallTime> ParseTime(const std::string& text);

}  // namespace kms::audit

#endif  // KMS_AUDIT_JSON_TEXT_H_
