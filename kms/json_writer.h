// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_JSON_WRITER_H_
#define KMS_JSON_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/wiping.h"

namespace kms {

// A JsonWriter appends a reply, member by member, to a buffer that is wiped
// when released. It writes what it is told: balancing Begin and End is the
// caller's. A quarter of the cost of building a DOM first.
class JsonWriter {
 public:
  explicit JsonWriter(base::WipingString& out) : out_(out) {
    out_.reserve(kUsualSize);  // Growing would copy, and wipe, each time.
  }

  JsonWriter& BeginObject();
  JsonWriter& BeginObject(std::string_view name);
  JsonWriter& EndObject();
  JsonWriter& BeginArray(std::string_view name);
  JsonWriter& EndArray();

  JsonWriter& Text(std::string_view name, std::string_view value);
  JsonWriter& Blob(std::string_view name, base::ByteView value);  // Base64.
  JsonWriter& Number(std::string_view name, std::int64_t value);
  JsonWriter& Bool(std::string_view name, bool value);
  // Epoch seconds with milliseconds, as AWS sends.
  JsonWriter& Time(std::string_view name, base::WallTime value);

  // A Text whose name the caller's client chose.
  JsonWriter& Pair(std::string_view name, std::string_view value);
  JsonWriter& Item(std::string_view value);  // A string in an array.

  // What is JSON already, as a member and in an array.
  JsonWriter& Json(std::string_view name, std::string_view json);
  JsonWriter& JsonItem(std::string_view json);

 private:
  static constexpr std::size_t kUsualSize = 480;  // A data key's reply.

  void Comma();
  void Name(std::string_view name);

  base::WipingString& out_;
  bool first_ = true;
};

}  // namespace kms

#endif  // KMS_JSON_WRITER_H_
