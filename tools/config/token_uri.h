// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CONFIG_TOKEN_URI_H_
#define TOOLS_CONFIG_TOKEN_URI_H_

#include <string>
#include <string_view>

namespace tools::config {

// What is wrong with a text that should name a token by an RFC 7512 URI; empty
// if nothing is. It may name nothing but the token: above all no PIN, which
// would lie in a file that many can read.
std::string FaultOfTokenUri(std::string_view text);

}  // namespace tools::config

#endif  // TOOLS_CONFIG_TOKEN_URI_H_
