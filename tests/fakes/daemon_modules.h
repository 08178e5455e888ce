// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_FAKES_DAEMON_MODULES_H_
#define TESTS_FAKES_DAEMON_MODULES_H_

#include <string>
#include <string_view>

namespace fakes {

// The path of a PKCS#11 module that tools/test --tokens installs. Aborts if
// there is none.
std::string DaemonModule(std::string_view file);

// For what a test without its token cannot go on after.
[[noreturn]] void Die(const std::string& why);

}  // namespace fakes

#endif  // TESTS_FAKES_DAEMON_MODULES_H_
