// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CONFIG_KEY_STORE_H_
#define TOOLS_CONFIG_KEY_STORE_H_

#include <string>
#include <vector>

#include "base/result.h"
#include "tools/config/config.h"
#include "tools/config/table_reader.h"

namespace tools::config {

// Reads one [[key_store]] with its further tokens.
base::Status ReadKeyStore(TableReader& reader, Config& config);

// No two tokens of a configuration have one name or one socket.
base::Status CheckTokens(const std::string& file, const Config& config);

// By what a token goes where there is no key store beside it, such as its unit:
// the home token by the name of its key store, a further one by STORE-NAME.
std::string FullName(const KeyStore& store, const Token& token);

// The home token first. They point into `store`.
std::vector<const Token*> TokensOf(const KeyStore& store);

// The token that claviger-hsm is told to serve: that called `token` of the key
// store called `key_store`, or its home token if `token` is empty or "home". A
// full name may stand for both, and nothing at all for the only key store. Its
// name is the full one. Fails with kInvalidArgument.
base::Result<Token> FindToken(const Config& config,
                              const std::string& key_store,
                              const std::string& token);

}  // namespace tools::config

#endif  // TOOLS_CONFIG_KEY_STORE_H_
