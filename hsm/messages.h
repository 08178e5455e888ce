// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_MESSAGES_H_
#define HSM_MESSAGES_H_

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
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

// What a key on the token is, and what it is for. Stored: a number is never
// used again for something else.
enum class Algorithm : std::uint8_t {
  // AES-256 keys, by how their ciphertexts are made
  // (docs/protocol/ciphertext.md).
  kXaes256Gcm = 1,        // The token derives a message key; random nonces.
  kAes256GcmCounter = 2,  // The token cannot derive; nonces are counted.
  // Key pairs. RSA pairs are told apart by their use, which their attributes
  // enforce; elliptic curve pairs too.
  kRsa2048Decrypt = 16,
  kRsa3072Decrypt = 17,
  kRsa4096Decrypt = 18,
  kRsa2048Sign = 19,
  kRsa3072Sign = 20,
  kRsa4096Sign = 21,
  kP256Sign = 24,
  kP384Sign = 25,
  kP521Sign = 26,
  kSecp256k1Sign = 27,
  kEd25519Sign = 28,
  kP256Agree = 32,
  kP384Agree = 33,
  kP521Agree = 34,
  // Generic secrets of 32, 32, 48 and 64 bytes, for HMAC with that hash.
  kHmacSha224 = 40,
  kHmacSha256 = 41,
  kHmacSha384 = 42,
  kHmacSha512 = 43,
  // RSA pairs under which key material comes in (ImportKeyRequest). They
  // unwrap, and do nothing else.
  kRsa2048Unwrap = 48,
  kRsa3072Unwrap = 49,
  kRsa4096Unwrap = 50,
  // AES-256 keys that wrap the keys of the placement `wrapped` (WrappedKey).
  // They wrap and unwrap by RFC 5649, and nothing else.
  kAesWrap = 56,
};

// What identifies a key's value without revealing it; as GenerateKeyReply says.
using CheckValue = std::array<std::uint8_t, 32>;

// A key that is no object of the token, but what a wrapping key made of it: the
// placement `wrapped`. Workers unwrap it into their sessions.
struct WrappedKey {
  Locator wrapping_key;      // Of a kAesWrap key.
  base::Bytes bytes;         // RFC 5649; of key pairs the private key, PKCS#8.
  CheckValue check_value{};  // Which key it must be.
  base::Bytes public_key;    // Of key pairs: SubjectPublicKeyInfo.
};

// One key, and the algorithm it was made for.
struct KeyRef {
  Locator locator;  // Of a wrapped key too, which has it for its name.
  Algorithm algorithm = Algorithm::kXaes256Gcm;
  std::shared_ptr<const WrappedKey> wrapped{};  // Null: an object of the token.
};

using Nonce = std::array<std::uint8_t, 24>;  // N of XAES-256-GCM: P12 || IV12.
using Aad = std::array<std::uint8_t, 32>;
inline constexpr std::size_t kMaxPlaintext = 8192;  // Bytes, with room to spare
                                                    // over the API's 4096.
inline constexpr std::size_t kTagSize = 16;

// What GCM made: the nonce, and ciphertext || tag.
struct Sealed {
  Nonce nonce{};
  base::Bytes ciphertext;
};

// kAes256GcmCounter needs a nonce counter, which the store hands out; it fills
// the last 8 bytes of the nonce, unless the token makes the IV. Ignored by
// kXaes256Gcm. Never 0: that nonce makes the key's check value.
using Counter = std::uint64_t;

// Makes an AES-256 or HMAC key object, or one that wraps others,
// with this locator, tests it by use, and makes it durable before answering.
// `algorithm` decides its usages.
struct GenerateKeyRequest {
  KeyRef key;
  // Of kAesWrap only, by the operator's explicit choice: the key may leave its
  // token, wrapped under a key that the token's security officer trusts
  // (ShareWrappingKeyRequest). Never so otherwise.
  bool shareable = false;
};
// The bytes that identify the key's value (design: KeyMaterialId) without
// revealing it. Of a key pair: SHA-256 of its SubjectPublicKeyInfo.
struct GenerateKeyReply {
  CheckValue check_value{};
};

// The same for a key pair, of which only the private key becomes a token
// object. RSA pairs take seconds.
struct GenerateKeyPairRequest {
  KeyRef key;
};
struct GenerateKeyPairReply {
  base::Bytes public_key;  // DER, SubjectPublicKeyInfo (RFC 5280, 4.1).
};

// The same for a wrapped key: nothing of it stays on the token. `key` has no
// `wrapped` yet, and any algorithm but kAesWrap. Fails with
// kUnsupportedOperation if this token cannot wrap
// such keys, or not so that they stay sensitive.
struct GenerateWrappedKeyRequest {
  KeyRef key;
  Locator wrapping_key;
};
struct GenerateWrappedKeyReply {
  CheckValue check_value{};
  base::Bytes wrapped;     // WrappedKey::bytes
  base::Bytes public_key;  // SubjectPublicKeyInfo; empty for secret keys.
};

enum class SignatureScheme : std::uint8_t {
  kPss = 1,     // RFC 8017, 8.1; salt as long as the hash, MGF1 with it.
  kPkcs1 = 2,   // RFC 8017, 8.2.
  kEcdsa = 3,   // The signature is DER (RFC 3279, 2.2.3).
  kEd25519 = 4  // RFC 8032, 5.1: `message` is the message, not a digest.
};
enum class Hash : std::uint8_t {
  kSha1 = 1,
  kSha256 = 2,
  kSha384 = 3,
  kSha512 = 4
};

struct SignRequest {
  KeyRef key;
  SignatureScheme scheme = SignatureScheme::kEcdsa;
  Hash hash = Hash::kSha256;  // Ignored by kEd25519.
  base::Secret message;       // The digest; for kEd25519 1..4096 bytes.
};
struct SignReply {
  base::Bytes signature;
};

// HMAC, whole (RFC 2104).
struct MacRequest {
  KeyRef key;
  base::Secret message;  // 1..4096 bytes.
};
struct MacReply {
  base::Bytes mac;
};

// ECDH with cofactor 1 (SP 800-56A, 5.7.1.2): the x-coordinate. Fails with
// kInvalidArgument if the other's key is not a point of the same curve.
struct AgreeRequest {
  KeyRef key;
  base::Bytes public_key;  // The other's, SubjectPublicKeyInfo.
};

// RSAES-OAEP, empty label, MGF1 with the same hash. Fails with
// kInvalidCiphertext, without saying why.
struct RsaDecryptRequest {
  KeyRef key;
  Hash hash = Hash::kSha256;  // kSha1 or kSha256.
  base::Bytes ciphertext;     // As long as the modulus.
};

// How imported key material is wrapped. AWS KMS API Reference,
// GetParametersForImport, WrappingAlgorithm; MGF1 with the same hash.
enum class WrappingAlgorithm : std::uint8_t {
  kOaepSha1 = 1,      // RSAES-OAEP of the material.
  kOaepSha256 = 2,    // Likewise.
  kRsaAesSha1 = 3,    // RSAES-OAEP of an AES key || RFC 5649 of the material by
  kRsaAesSha256 = 4,  // that key.
};

// What the worker, outside of the token, sees of a material that it imports.
enum class ImportRoute : std::uint8_t {
  kInside = 1,  // Nothing: the token unwraps.
  kWrappingKeyInWorker =
      2,          // The AES key of kRsaAes*; the token does the rest.
  kInWorker = 3,  // The material, for as long as this one call takes.
};

// Which way a material for such keys takes, by what the token can.
struct ImportRouteRequest {
  Algorithm algorithm = Algorithm::kXaes256Gcm;
  WrappingAlgorithm wrapping = WrappingAlgorithm::kOaepSha256;
};
struct ImportRouteReply {
  ImportRoute route = ImportRoute::kInWorker;
};

// Unwraps a material and makes it a key object, as GenerateKeyRequest and
// GenerateKeyPairRequest do: symmetric material is 32 bytes, that of HMAC keys
// what RFC 2104 asks for (ImportedSize), that of pairs PKCS#8 (RFC 5958). Fails
// with kInvalidCiphertext, without saying why, if that does not give a key for
// `key.algorithm`, and with kUnsupportedOperation if `strict` and the route is
// not kInside.
struct ImportKeyRequest {
  KeyRef key;
  KeyRef wrapping_key;  // Of one of the *Unwrap algorithms.
  WrappingAlgorithm wrapping = WrappingAlgorithm::kOaepSha256;
  base::Bytes wrapped;
  bool strict = false;
  // If set, the material becomes no object of the token, but a wrapped key, as
  // GenerateWrappedKeyRequest makes one by this kAesWrap key.
  std::optional<Locator> store_wrapping_key{};
};
struct ImportKeyReply {
  CheckValue check_value{};  // As GenerateKeyReply's, of pairs too.
  base::Bytes public_key;    // SubjectPublicKeyInfo; empty for secret keys.
  ImportRoute route = ImportRoute::kInWorker;
  base::Bytes
      wrapped{};  // WrappedKey::bytes; empty for an object of the token.
};

// A key pair that is not kept: its private key, PKCS#8 (RFC 5958), sealed like
// a data key; and in clear if `want_plaintext`.
struct GenerateDataKeyPairRequest {
  KeyRef key;  // AES-256: what seals it.
  Counter counter = 0;
  Aad aad{};
  Algorithm pair = Algorithm::kP256Sign;  // Of a key pair; its use is ignored.
  bool want_plaintext = true;
};
struct GenerateDataKeyPairReply {
  base::Bytes public_key;    // SubjectPublicKeyInfo.
  base::Secret private_key;  // Empty unless asked for.
  Sealed sealed;
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

// What AES-256-GCM made for somebody outside, in the parts of the XKS proxy
// API (docs/protocol/xks.md). The metadata comes back with the ciphertext and
// is authenticated.
struct ExternalSealed {
  base::Bytes metadata;    // At most kMaxExternalMetadata bytes.
  base::Bytes iv;          // 12 bytes; what comes from outside may have 16.
  base::Bytes ciphertext;  // As long as the plaintext.
  base::Bytes tag;         // kTagSize bytes.
};
inline constexpr std::size_t kMaxExternalMetadata = 20;
inline constexpr std::size_t kMaxExternalAad = 16384;

// Encrypts under an external key. `version` says which key of it this is, and
// goes into the metadata.
struct SealExternalRequest {
  KeyRef key;  // AES-256.
  std::uint32_t version = 0;
  base::Bytes aad;         // 0..kMaxExternalAad bytes.
  base::Secret plaintext;  // 0..kMaxPlaintext bytes.
  // Decrypts what was made, compares, and returns its SHA-256 with the AAD: the
  // CiphertextDataIntegrityValue of the XKS proxy API.
  bool want_integrity = false;
};
struct SealExternalReply {
  ExternalSealed sealed;
  base::Bytes integrity;  // 32 bytes; empty unless asked for.
};

// Fails with kInvalidCiphertext, without saying why, if the tag is wrong, or
// nothing made by SealExternalRequest has such metadata.
struct OpenExternalRequest {
  KeyRef key;
  base::Bytes aad;
  ExternalSealed sealed;
};

// The operations of the XKS proxy API.
enum class XksOperation : std::uint8_t {
  kHealth = 1,
  kMetadata = 2,
  kEncrypt = 3,
  kDecrypt = 4,
};

// An external key store's proxy: where it is, and how to sign for it. Shared by
// the requests to it.
struct XksProxy {
  std::string endpoint;  // "https://xks.example.com"
  std::string path;      // "/prefix/kms/xks/v1"
  std::string region;    // In which requests are signed.
  std::string access_key_id;
  base::Secret secret_access_key;
};

// One request to a proxy, made by a worker that has no token. Members that
// `operation` does not have are empty.
struct XksRequest {
  std::shared_ptr<const XksProxy> proxy;
  XksOperation operation = XksOperation::kHealth;
  std::string external_key_id;
  // The requestMetadata.
  std::string kms_request_id;
  std::string kms_operation;
  std::string principal_arn;
  std::string key_arn;
  std::string via_service;
  std::string source_vpc;
  std::string source_vpce;
  base::Bytes aad;         // Of kEncrypt and kDecrypt.
  base::Secret plaintext;  // Of kEncrypt.
  ExternalSealed sealed;   // Of kDecrypt.
};

// What became of it: success, an error that the proxy named, or why there was
// no answer that could be used.
enum class XksOutcome : std::uint8_t {
  kOk = 1,
  kValidation = 2,
  kInvalidState = 3,
  kInvalidCiphertext = 4,
  kInvalidKeyUsage = 5,
  kAuthenticationFailed = 6,
  kAccessDenied = 7,
  kKeyNotFound = 8,
  kInvalidUriPath = 9,
  kThrottling = 10,
  kUnsupportedOperation = 11,
  kDependencyTimeout = 12,
  kInternal = 13,
  kMalformed = 14,     // Not JSON, wrong lengths, a wrong integrity value.
  kNotReachable = 15,  // No address, no connection, or it broke.
  kTls = 16,           // No TLS connection with whom it should be.
  kTimedOut = 17,      // No answer in time.
  kForbidden = 18,     // The address is one that this server may not ask.
};

struct ExternalManagerHealth {
  std::string id;
  std::string model;
  std::string status;  // "ACTIVE", "DEGRADED" or "UNAVAILABLE".
};

struct XksReply {
  XksOutcome outcome = XksOutcome::kInternal;
  std::string message;  // For the log: what the proxy or the transport said.
  std::uint64_t microseconds = 0;           // That the request took.
  std::uint64_t certificate_not_after = 0;  // Unix seconds; 0: not known.
  base::Secret plaintext;                   // Of kDecrypt.
  ExternalSealed sealed;                    // Of kEncrypt.
  // Of kMetadata.
  std::string key_spec;
  std::vector<std::string> key_usages;
  std::string key_status;
  // Of kHealth.
  std::string proxy_vendor;
  std::string proxy_model;
  std::string manager_vendor;
  std::vector<ExternalManagerHealth> managers;
};

// Destroys the object with this locator for good. Fails with kNotFound if the
// token has none. Every worker must have evicted it first.
struct DestroyKeyRequest {
  Locator locator;
};

// Forgets handles, session copies and derived keys of this locator; a wrapped
// key of it is never unwrapped again by this worker.
struct EvictKeyRequest {
  Locator locator;
};

// Uses the key for what it is for and returns its check value; zeros for key
// pairs other than RSA, since a token does not tell their public key.
// kNotFound: no such object; kCorrupt: an object, but not usable.
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
  Algorithm algorithm = Algorithm::kXaes256Gcm;  // What new AES keys get, if
                                                 // `notes` do not say: none.
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

// How a wrapping key comes from one token, the source, to another, the target:
// the target makes a transport key, the source's security officer enters its
// public half as trusted (`claviger token trust`), the source wraps the
// wrapping key under it, and the target receives that.

// On the target: makes the one transport key of the token, an RSA pair of 3072
// bits that unwraps and does nothing else, or returns the one that is there.
struct MakeTransportKeyRequest {};
struct MakeTransportKeyReply {
  base::Bytes public_key;   // SubjectPublicKeyInfo.
  Hash hash = Hash::kSha1;  // Of RSAES-OAEP, with which the token unwraps.
};

// On the source. Fails with kUnsupportedOperation if the wrapping key was not
// made shareable or the source cannot wrap so, kAccessDenied if the security
// officer has not entered that public key as trusted, kCorrupt if the wrapping
// key is not the one with that check value, or would leave under other keys.
struct ShareWrappingKeyRequest {
  KeyRef wrapping_key;       // kAesWrap.
  CheckValue check_value{};  // Which key it must be.
  base::Bytes public_key;    // MakeTransportKeyReply::public_key, and
  Hash hash = Hash::kSha1;   // ::hash.
};
struct ShareWrappingKeyReply {
  base::Bytes wrapped;  // RSAES-OAEP.
};

// On the target: makes the wrapping key an object of the token, as
// GenerateKeyRequest does, and then destroys the transport key. Succeeds if it
// is there already. Fails with kCorrupt, and leaves nothing, if that does not
// give the key with that check value; kNotFound without a transport key;
// kConflict if the key is there, but shareable where it should not be, or the
// other way round.
struct ReceiveWrappingKeyRequest {
  KeyRef wrapping_key;  // kAesWrap, with the locator that it shall have.
  CheckValue check_value{};
  base::Bytes wrapped;     // ShareWrappingKeyReply::wrapped
  bool shareable = false;  // Whether it may leave the target in its turn.
};

// Makes a wrapped key an object of this token, with the new locator, that works
// and is the key of its check value; as GenerateKeyRequest says. The wrapped
// key stays what it is: evict it when nobody uses it any more. Leaves nothing
// if it fails, and then with kCorrupt, kNotFound or kUnsupportedOperation as
// requests that use the key do, or kAlreadyExists if the locator is taken.
struct KeepWrappedKeyRequest {
  KeyRef key;       // Wrapped.
  Locator locator;  // That the object shall have.
};

// Whether this is the PIN with which the worker opened its token, which is not
// asked: a wrong guess does not count towards the token's lock. After ten in a
// row the worker answers kLimitExceeded until it is started anew.
struct CheckPinRequest {
  base::Secret pin;
};
struct CheckPinReply {
  bool is_right = false;
};

struct EmptyReply {};

}  // namespace hsm

#endif  // HSM_MESSAGES_H_
