// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_OPENSSL_HANDLES_H_
#define PKCS11_OPENSSL_HANDLES_H_

#include <openssl/core.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kms/client/key_uri.h"
#include "pkcs11/openssl/key.h"

// How stores and decoders give keys to OpenSSL.
namespace pkcs11::openssl {

// What an object holds as its reference: a pointer to a KeyHandle.
inline constexpr std::size_t kReferenceBytes = sizeof(void*);

// What is wanted of a key.
enum class Half : std::uint8_t { kPrivate, kPublic };

// How a failure is told: &Core::Raise, or &Core::RaiseToStay in decoders.
using Raiser = int (Core::*)(Reason reason, std::string_view text) const;

// Asks the KMS for the key and hands it to `callback` as an object that our key
// management loads. Raises an error and returns 0 if there is none; else
// returns what the callback says.
int GiveKey(const ContextOwner& context, const kms::client::KeyUri& uri,
            Half half, Raiser raise, OSSL_CALLBACK* callback, void* argument);

}  // namespace pkcs11::openssl

#endif  // PKCS11_OPENSSL_HANDLES_H_
