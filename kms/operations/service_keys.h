// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_SERVICE_KEYS_H_
#define KMS_OPERATIONS_SERVICE_KEYS_H_

#include <boost/asio/awaitable.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "kms/operations/call.h"

// The token's keys for what clavigerd itself seals: one for each purpose.
namespace kms::operations {

inline constexpr std::string_view kForCredentials = "credentials";
inline constexpr std::string_view kForGrantTokens = "grant-token";
inline constexpr std::string_view kForImportTokens = "import-token";
inline constexpr std::string_view kForSessionTokens = "session-token";
inline constexpr std::string_view kForXksCredentials = "xks-credentials";

// Makes the key of a purpose that has none. Whether it may is the caller's to
// know: a key that is lost is never made again. `shareable` is of keys that
// wrap (GenerateKeyRequest).
boost::asio::awaitable<base::Status> MakeServiceKey(Environment& environment,
                                                    KeyStore& key_store,
                                                    std::string_view purpose,
                                                    hsm::Algorithm algorithm,
                                                    bool shareable = false);

// The purpose of what wraps the keys of a key store, and of what the token of a
// further key store is known by.
std::string ForWrapping(std::string_view key_store);
std::string ForIdentity(std::string_view key_store);

// Uses the key. Fails with kKeyUnavailable, naming the purpose, if the token
// does not have it or has another in its place.
boost::asio::awaitable<base::Status> CheckServiceKey(
    Environment& environment, const store::ServiceKey& key);

// kKeyUnavailable if the store has none.
base::Result<store::ServiceKey> FindServiceKey(Environment& environment,
                                               std::string_view purpose);

// Binds what is sealed to its type, its row ("" if it has none) and its store.
hsm::Aad ServiceAad(const Environment& environment, std::string_view type,
                    std::string_view row);

// Opening fails with kInvalidCiphertext if it was not sealed so.
boost::asio::awaitable<base::Result<hsm::Sealed>> SealUnder(
    Environment& environment, const store::ServiceKey& key, hsm::Aad aad,
    base::Secret plaintext);
boost::asio::awaitable<base::Result<base::Secret>> OpenUnder(
    Environment& environment, const store::ServiceKey& key, hsm::Aad aad,
    hsm::Sealed sealed);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_SERVICE_KEYS_H_
