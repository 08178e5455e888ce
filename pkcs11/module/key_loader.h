// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_KEY_LOADER_H_
#define PKCS11_MODULE_KEY_LOADER_H_

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "pkcs11/kms.h"
#include "pkcs11/module/key.h"
#include "pkcs11/module/token_options.h"

namespace pkcs11::module {

// Tags that hold what KMS keys have no member for.
inline constexpr std::string_view kLabelTag = "pkcs11:label";
inline constexpr std::string_view kIdTag = "pkcs11:id";  // Hexadecimal.

// Which operations of our own are worth calling.
enum class Ours : std::uint8_t {
  kAll,
  kAllButListing,  // This user may see keys, but not list them.
  kNone,           // The KMS does not know them.
};

struct LoadedKeys {
  std::vector<std::shared_ptr<const Key>> keys;
  Ours ours = Ours::kAll;  // From now on.
};

// Asks `kms` for every key that `options` let through and that is of a kind
// that we know: by those of `ours`, if it is a Claviger, and else, or where it
// refuses those, by standard calls of the AWS KMS API.
// Lists keys only where the
// options name neither keys nor a prefix of aliases. A key that we may not
// describe, or whose public key we may not have, is left out with a line in the
// log; one whose tags we may not list has no label or id of its own. `known`
// saves asking again for public keys, which never change.
//
// Fails as ListKeys does, as ListAliases where aliases decide, or with what may
// pass (the server is gone, busy, or does not know us): what was known before
// is then better than half a list.
base::Result<LoadedKeys> LoadKeys(
    Kms& kms, OSSL_LIB_CTX* library, const TokenOptions& options,
    const std::vector<std::shared_ptr<const Key>>& known, Ours ours);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_KEY_LOADER_H_
