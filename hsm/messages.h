// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_MESSAGES_H_
#define HSM_MESSAGES_H_

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/secret.h"

// The token boundary: what clavigerd may ask of a token, and what comes back.
// Plain structs, executed synchronously by hsm::token::Token in the worker and
// awaited through hsm::client::Client in clavigerd. There is no request that
// reads an attribute or passes a template. docs/protocol/worker.md gives the
// bytes on the wire.
namespace hsm {

// A Locator is the CKA_ID of one key material on its token: 16 random bytes.
struct Locator {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const Locator&) const = default;
};

// How the symmetric ciphertexts of a key are made
// (docs/protocol/ciphertext.md).
enum class Algorithm : std::uint8_t {
  kXaes256Gcm = 1,       // The token derives a message key; random nonces.
  kAes256GcmCounter = 2  // The token cannot derive; nonces are counted.
};

// One AES-256 key on the token, and the algorithm it was made for.
struct KeyRef {
  Locator locator;
  Algorithm algorithm = Algorithm::kXaes256Gcm;
};

using Nonce = std::array<std::uint8_t, 24>;  // N of XAES-256-GCM: P12 || IV12.
using Aad = std::array<std::uint8_t, 32>;
using CheckValue = std::array<std::uint8_t, 32>;

inline constexpr std::size_t kMaxPlaintext = 8192;  // Bytes, with room to spare
                                                    // over the API's 4096.
inline constexpr std::size_t kTagSize = 16;

// What GCM made: the nonce, and ciphertext || tag.
struct Sealed {
  Nonce nonce{};
  base::Bytes ciphertext;
};

// kAes256GcmCounter needs a nonce counter, which the store hands out; it fills
// the last 8 bytes of the nonce. Ignored by kXaes256Gcm. Never 0: that nonce
// makes the key's check value.
using Counter = std::uint64_t;

// Makes an AES-256 key object with this locator, tests it by use, and makes it
// durable before answering. `algorithm` decides its usages.
struct GenerateKeyRequest {
  KeyRef key;
};
// The bytes that identify the key's value (design: KeyMaterialId) without
// revealing it.
struct GenerateKeyReply {
  CheckValue check_value{};
};

struct EncryptRequest {
  KeyRef key;
  Counter counter = 0;
  Aad aad{};
  base::Secret plaintext;  // 0..kMaxPlaintext bytes.
};

// Fails with kInvalidCiphertext, without saying why, if the tag is wrong.
struct DecryptRequest {
  KeyRef key;
  Aad aad{};
  Sealed sealed;
};
struct PlaintextReply {
  base::Secret plaintext;
};

// Random bytes, sealed; and in clear if `want_plaintext`.
struct GenerateDataKeyRequest {
  KeyRef key;
  Counter counter = 0;
  Aad aad{};
  std::uint16_t size = 0;  // 1..1024 bytes.
  bool want_plaintext = true;
};
struct GenerateDataKeyReply {
  base::Secret plaintext;  // Empty unless asked for.
  Sealed sealed;
};

// Decrypts and encrypts again; the plaintext stays in the worker.
struct ReEncryptRequest {
  KeyRef from;
  Aad from_aad{};
  Sealed sealed;
  KeyRef to;
  Counter counter = 0;
  Aad to_aad{};
};

struct RandomRequest {
  std::uint16_t size = 0;  // 1..1024 bytes.
};

// Destroys the object with this locator for good. Fails with kNotFound if the
// token has none. Every worker must have evicted it first.
struct DestroyKeyRequest {
  Locator locator;
};

// Forgets handles, session copies and derived keys of this locator.
struct EvictKeyRequest {
  Locator locator;
};

// Uses the key (encrypt, decrypt) and returns its check value. kNotFound: no
// such object; kCorrupt: an object, but not usable.
struct CheckKeyRequest {
  KeyRef key;
};

// Is the token there and logged in? Costs the token one small operation.
struct HealthRequest {};

struct CapabilitiesRequest {};

// What the probe of the token found: the token profile.
struct Capabilities {
  std::string token_label;
  std::string token_serial;
  std::string manufacturer;
  std::string model;
  Algorithm algorithm = Algorithm::kXaes256Gcm;  // What new AES keys get.
  std::vector<std::string> notes;  // Deviations worth an operator's reading.
};

// All objects of the token that are keys, by CKA_ID, whoever made them.
struct ListKeysRequest {};
struct ListedKey {
  base::Bytes id;        // CKA_ID; empty if unreadable.
  std::string label;     // CKA_LABEL; empty if unreadable.
  bool readable = true;  // False for the litter of a kill during creation.
};
struct ListKeysReply {
  std::vector<ListedKey> keys;
};

struct EmptyReply {};

}  // namespace hsm

#endif  // HSM_MESSAGES_H_
