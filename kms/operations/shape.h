// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_SHAPE_H_
#define KMS_OPERATIONS_SHAPE_H_

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/secret.h"

// The constraints of the API's model, as data, and the one function that
// applies them with AWS's texts.
namespace kms::operations {

enum class Type : std::uint8_t {
  kString,
  kBlob,  // Base64 text in JSON; lengths are of the decoded bytes.
  kInteger,
  kBoolean,
  kStringMap,
  kList,
  kStructure,
  kTimestamp,   // Epoch seconds, with or without a fraction.
  kConditions,  // An object whose values are strings or lists of strings.
};

// A regular expression of the model, and the same as code.
struct Pattern {
  std::string_view text;
  bool (*matches)(std::string_view value);
};

inline constexpr std::int64_t kUnbounded = -1;

struct Member;

// A Shape is what a value must be. `min` and `max` bound the value of integers,
// the number of characters of strings, of bytes of blobs, of items of lists.
struct Shape {
  Type type = Type::kString;
  std::int64_t min = kUnbounded;
  std::int64_t max = kUnbounded;
  const Pattern* pattern = nullptr;          // kString
  std::span<const std::string_view> values;  // kString: the enumeration.
  const Shape* item = nullptr;               // kList
  std::span<const Member> members;           // kStructure
  // Whether the audit log shows the value. Blobs never are.
  bool audited = true;
};

struct Member {
  std::string_view name;
  const Shape* shape;
  bool required = false;
};

// The decoded blobs of a request, by member name.
struct NamedBlob {
  std::string_view name;
  base::Secret bytes;
};

// Checks `input` against the members of an operation's input. Fails with
// kValidation and AWS's text, naming the first ten broken constraints, or with
// kSerialization if a value has the wrong JSON type or a blob is not base64.
// Members that are null or unknown are ignored, as AWS does. Appends the
// decoded top-level blobs to `blobs`.
base::Status CheckInput(std::span<const Member> members,
                        const base::Json& input, std::vector<NamedBlob>& blobs);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_SHAPE_H_
