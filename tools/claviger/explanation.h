// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGER_EXPLANATION_H_
#define TOOLS_CLAVIGER_EXPLANATION_H_

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace tools::claviger {

// `text` without what could steer a terminal or hide other characters: these
// are escaped as in JSON, and so are quotes and backslashes.
std::string Visible(std::string_view text);

// Renders what policy::ExplainJson wrote for a terminal: who asks for what,
// then a sentence for each statement and grant, by policy, and last what
// decided, or what is missing ("Nothing allows: ..."). Policies and statements
// are counted from 1. Characters that could steer a terminal or hide others are
// escaped as in JSON. Fails with kSerialization if `explanation` is none.
base::Result<std::string> RenderExplanation(const base::Json& explanation);

}  // namespace tools::claviger

#endif  // TOOLS_CLAVIGER_EXPLANATION_H_
