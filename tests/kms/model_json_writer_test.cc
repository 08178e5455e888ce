// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "kms/json_writer.h"
#include "tests/testlib/status.h"

namespace kms {
namespace {

TEST(JsonWriterTest, WritesEveryKindOfMember) {
  base::WipingString out;
  JsonWriter(out)
      .BeginObject()
      .Text("Text", "a")
      .Blob("Blob", base::AsBytes("\xFF\xFE"))
      .Number("Number", -7)
      .Bool("Yes", true)
      .Bool("No", false)
      .Time("Time", base::WallTime(std::chrono::microseconds(1795342500007999)))
      .BeginArray("List")
      .Item("x")
      .Item("y")
      .EndArray()
      .BeginObject("Inner")
      .EndObject()
      .EndObject();
  EXPECT_EQ(std::string_view(out),
            R"({"Text":"a","Blob":"//4=","Number":-7,"Yes":true,"No":false,)"
            R"("Time":1795342500.007,"List":["x","y"],"Inner":{}})");
}

TEST(JsonWriterTest, ObjectsInAListAreSeparated) {
  base::WipingString out;
  JsonWriter writer(out);
  writer.BeginObject().BeginArray("L");
  for (int i = 0; i < 2; ++i) {
    writer.BeginObject().Number("I", i).EndObject();
  }
  writer.EndArray().Bool("B", true).EndObject();
  EXPECT_EQ(std::string_view(out), R"({"L":[{"I":0},{"I":1}],"B":true})");
}

TEST(JsonWriterTest, WhatItEscapesParseJsonReadsBack) {
  std::string every;
  for (int c = 0; c < 0x80; ++c) {
    every.push_back(static_cast<char>(c));
  }
  for (const std::string& text :
       {every, std::string("\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x94\x91"),
        std::string("\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF"),
        std::string()}) {
    base::WipingString out;
    JsonWriter(out).BeginObject().Text("T", text).EndObject();
    ASSERT_OK_AND_ASSIGN(const base::Json read, base::ParseJson(out));
    EXPECT_EQ(base::TextOf(read.at("T")), text);
  }
}

TEST(JsonWriterTest, BytesThatAreNotUtf8BecomeReplacementCharacters) {
  constexpr std::string_view kMark = "\xEF\xBF\xBD";
  const std::string mark(kMark);
  const std::pair<std::string_view, std::string> cases[] = {
      {"a\xFFz", "a" + mark + "z"},
      {"\xC3", mark},                        // Cut off.
      {"\xC0\xAF", mark + mark},             // Overlong.
      {"\xED\xA0\x80", mark + mark + mark},  // A surrogate.
      {"\xF4\x90\x80\x80", mark + mark + mark + mark},
      {"\xE2\x82", mark + mark},
  };
  for (const auto& [text, expected] : cases) {
    base::WipingString out;
    base::AppendJsonEscaped(text, out);
    EXPECT_EQ(std::string_view(out), expected);
  }
}

}  // namespace
}  // namespace kms
