// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGER_EXPLAIN_REPLIES_H_
#define TOOLS_CLAVIGER_EXPLAIN_REPLIES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

// The replies of our own operations that explain decisions, for a terminal, and
// what their verbs take. Characters that could steer a terminal are escaped.
// Each Render fails with kSerialization for what is no such reply.
namespace tools::claviger {

// Of Claviger.Explain: what was recorded, what is not as it was, and each
// check.
base::Result<std::string> RenderEvent(const base::Json& reply);

// Of Claviger.WhoCan: a line for each principal.
base::Result<std::string> RenderWhoCan(const base::Json& reply);

// Of Claviger.ReplayPolicy: a line for each request that would be answered
// otherwise, and the counts.
base::Result<std::string> RenderReplay(const base::Json& reply);

// Pairs "key=value" as the member Context: a key that comes more than once is a
// list. Fails with kInvalidArgument for what is no pair.
base::Result<base::Json> ContextOf(const std::vector<std::string>& pairs);

// "30d", "12h", "45m" or "10s" before `now`, or a number: seconds since 1970.
// Fails with kInvalidArgument.
base::Result<std::int64_t> ParseSince(std::string_view text, std::int64_t now);

}  // namespace tools::claviger

#endif  // TOOLS_CLAVIGER_EXPLAIN_REPLIES_H_
