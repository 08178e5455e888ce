// SPDX-License-Identifier: Apache-2.0
#include "kms/json_writer.h"

#include <fmt/format.h>

#include <chrono>
#include <iterator>

#include "base/json.h"

namespace kms {

void JsonWriter::Comma() {
  if (!first_) {
    out_.push_back(',');
  }
  first_ = false;
}

void JsonWriter::Name(std::string_view name) {
  Comma();
  out_.push_back('"');
  out_.append(name);
  out_.append("\":");
}

JsonWriter& JsonWriter::BeginObject() {
  Comma();
  out_.push_back('{');
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::BeginObject(std::string_view name) {
  Name(name);
  out_.push_back('{');
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::EndObject() {
  out_.push_back('}');
  first_ = false;
  return *this;
}

JsonWriter& JsonWriter::BeginArray(std::string_view name) {
  Name(name);
  out_.push_back('[');
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::EndArray() {
  out_.push_back(']');
  first_ = false;
  return *this;
}

JsonWriter& JsonWriter::Text(std::string_view name, std::string_view value) {
  Name(name);
  out_.push_back('"');
  base::AppendJsonEscaped(value, out_);
  out_.push_back('"');
  return *this;
}

JsonWriter& JsonWriter::Blob(std::string_view name, base::ByteView value) {
  Name(name);
  out_.push_back('"');
  base::Base64Append(value, out_);
  out_.push_back('"');
  return *this;
}

JsonWriter& JsonWriter::Number(std::string_view name, std::int64_t value) {
  Name(name);
  fmt::format_to(std::back_inserter(out_), "{}", value);
  return *this;
}

JsonWriter& JsonWriter::Bool(std::string_view name, bool value) {
  Name(name);
  out_.append(value ? "true" : "false");
  return *this;
}

JsonWriter& JsonWriter::Time(std::string_view name, base::WallTime value) {
  const auto milliseconds =
      std::chrono::floor<std::chrono::milliseconds>(value).time_since_epoch();
  Name(name);
  fmt::format_to(std::back_inserter(out_), "{}.{:03}",
                 milliseconds.count() / 1000, milliseconds.count() % 1000);
  return *this;
}

JsonWriter& JsonWriter::Pair(std::string_view name, std::string_view value) {
  Item(name);
  out_.append(":\"");
  base::AppendJsonEscaped(value, out_);
  out_.push_back('"');
  return *this;
}

JsonWriter& JsonWriter::Json(std::string_view name, std::string_view json) {
  Name(name);
  out_.append(json);
  return *this;
}

JsonWriter& JsonWriter::JsonItem(std::string_view json) {
  Comma();
  out_.append(json);
  return *this;
}

JsonWriter& JsonWriter::Item(std::string_view value) {
  Comma();
  out_.push_back('"');
  base::AppendJsonEscaped(value, out_);
  out_.push_back('"');
  return *this;
}

}  // namespace kms
