// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_FAKES_PKCS11_AES_H_
#define TESTS_FAKES_PKCS11_AES_H_

#include <optional>
#include <span>

#include "tests/fakes/pkcs11/objects.h"

// The fake token's AES, by OpenSSL. nullopt: OpenSSL refuses.
namespace fakes::pkcs11 {

using View = std::span<const std::uint8_t>;

std::optional<Bytes> EncryptGcm(View key, View iv, View aad, View plaintext);
std::optional<Bytes> DecryptGcm(View key, View iv, View aad, View ciphertext);
std::optional<Bytes> EncryptEcb(View key, View blocks);
std::optional<Bytes> WrapKwp(View key, View plaintext);  // RFC 5649.
std::optional<Bytes> UnwrapKwp(View key, View ciphertext);

}  // namespace fakes::pkcs11

#endif  // TESTS_FAKES_PKCS11_AES_H_
