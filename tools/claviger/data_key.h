// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGER_DATA_KEY_H_
#define TOOLS_CLAVIGER_DATA_KEY_H_

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "kms/client/client.h"
#include "tools/claviger/envelope_header.h"

namespace tools::claviger {

struct DataKey {
  base::Secret plaintext;  // 32 bytes.
  base::Bytes wrapped;     // The CiphertextBlob.
};

// Has the server make a data key under the key `key_id`. Fails as Client::Call
// does, and with kCorrupt if the reply is not what GenerateDataKey returns.
base::Result<DataKey> GenerateDataKey(kms::client::Client& client,
                                      const std::string& key_id,
                                      const EncryptionContext& context);

// Has the server decrypt `wrapped`; under the key `key_id` and no other, if it
// is given. Fails likewise.
base::Result<base::Secret> UnwrapDataKey(
    kms::client::Client& client, const base::Bytes& wrapped,
    const EncryptionContext& context, const std::optional<std::string>& key_id);

// Reads pairs written "key=value": up to the first '=' is the key. Fails with
// kInvalidArgument if there is none, if a key is empty or comes twice, or if a
// pair is not UTF-8.
base::Result<EncryptionContext> ParseContext(
    const std::vector<std::string>& pairs);

}  // namespace tools::claviger

#endif  // TOOLS_CLAVIGER_DATA_KEY_H_
