// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGER_FINDING_H_
#define TOOLS_CLAVIGER_FINDING_H_

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

// What `claviger doctor` says.
namespace tools::claviger {

// What a check found: nothing wrong (and what it saw), or an Error that says
// how to mend it. kInvalidState is a warning, every other code a failure.
using Finding = base::Result<std::string>;

base::Error Warning(std::string text);
base::Error Failure(std::string text);

struct Check {
  std::string name;
  std::function<Finding()> run;
};

// Prints one line; returns whether it is no failure.
bool Report(std::string_view name, const Finding& finding);

// `claviger doctor --openssl`: whether programs here find claviger.so, and keys
// of software are still what they were. Returns the exit status.
base::Result<int> RunOpensslDoctor();

}  // namespace tools::claviger

#endif  // TOOLS_CLAVIGER_FINDING_H_
