// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_KEY_REPLY_H_
#define PKCS11_MODULE_KEY_REPLY_H_

#include <openssl/types.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "pkcs11/kms.h"
#include "pkcs11/module/key.h"
#include "pkcs11/module/token_options.h"

// How replies of the KMS become keys.
namespace pkcs11::module {

// The text of a member; empty if there is none.
std::string TextOrEmpty(const base::Json& object, std::string_view name);

// An alias without "alias/"; nothing if it is none.
std::optional<std::string> AliasName(std::string_view alias);

// The pair of a tag goes into `tags`.
void AddTag(const base::Json& tag, std::map<std::string, std::string>& tags);

// Calls a listing operation until it has no more pages, and `visit` with each
// element of `list`.
base::Status ForEachListed(Kms& kms, std::string_view operation,
                           base::Json request, const char* list,
                           const std::function<void(const base::Json&)>& visit);

// Whether asking again may help. Such an error ends the loading, because a key
// that is left out for it would lose its handle.
bool MayPass(base::ErrorCode code);

// What DescribeKey says, or nothing for a key that is not to be shown.
std::optional<Key> DescribedKey(const base::Json& metadata,
                                const TokenOptions& options);

// Gives `key` its CKA_LABEL and CKA_ID. `alias` may be empty.
void NameKey(const std::string& key_id, const std::string& alias,
             const std::map<std::string, std::string>& tags, Key& key);

// Gives `key` the certificates that a list of base64 texts holds. Those that
// `known`, the same key as it was before, has already are shared. What is no
// certificate is left out with a line in the log.
void SetCertificates(const base::Json& list, const Key* known,
                     OSSL_LIB_CTX* library, Key& key);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_KEY_REPLY_H_
