// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGER_ASK_H_
#define TOOLS_CLAVIGER_ASK_H_

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "kms/client/client.h"
#include "tools/claviger/verb.h"

namespace tools::claviger {

// What the verbs that explain decisions take to print a reply as it came.
inline constexpr const char* kJsonOption = "--json";

// Calls an operation whose reply is a JSON object.
base::Result<base::Json> AskForObject(const Arguments& arguments,
                                      std::string_view operation,
                                      std::string_view request);

// A member of a reply that is a text. Fails with kCorrupt.
base::Result<std::string_view> MemberOf(const base::Json& object,
                                        std::string_view name);

// Calls an operation and writes its reply to standard output: as it came with
// --json, otherwise as `render` has it.
using Render = std::function<base::Result<std::string>(const base::Json&)>;
base::Status AskAndPrint(const Arguments& arguments, std::string_view operation,
                         const base::Json& request, const Render& render);

// The same for each page of a listing: as long as there is a NextMarker.
base::Status AskForPages(const Arguments& arguments, std::string_view operation,
                         base::Json request, const Render& render);

// The text of a file; '-' is standard input. Fails with kIo, and with
// kInvalidArgument if it is longer than `most` bytes.
base::Result<base::WipingString> ReadText(const std::string& path,
                                          std::size_t most);

}  // namespace tools::claviger

#endif  // TOOLS_CLAVIGER_ASK_H_
