// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_ALGORITHMS_H_
#define PKCS11_ALGORITHMS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "pkcs11/p11_v3.h"

// What key specs, hashes and mechanisms there are, and which go together: one
// table of each, from which everything else about them is read.
namespace pkcs11 {

struct Hash {
  const char* name;          // OpenSSL's.
  std::string_view kms;      // At the end of KMS's algorithms: "SHA_256".
  std::size_t size;          // Bytes of a digest.
  CK_MECHANISM_TYPE digest;  // CKM_SHA256, say.
  CK_ULONG mgf;
  // Before the digest in a DigestInfo, hexadecimal (RFC 8017, 9.2, note 1).
  std::string_view prefix;
};

inline constexpr Hash kSha1 = {
    "SHA1",    "SHA_1",       20,
    CKM_SHA_1, CKG_MGF1_SHA1, "3021300906052b0e03021a05000414"};
inline constexpr Hash kSha224 = {
    "SHA2-224", "SHA_224",       28,
    CKM_SHA224, CKG_MGF1_SHA224, "302d300d06096086480165030402040500041c"};
inline constexpr Hash kSha256 = {
    "SHA2-256", "SHA_256",       32,
    CKM_SHA256, CKG_MGF1_SHA256, "3031300d060960864801650304020105000420"};
inline constexpr Hash kSha384 = {
    "SHA2-384", "SHA_384",       48,
    CKM_SHA384, CKG_MGF1_SHA384, "3041300d060960864801650304020205000430"};
inline constexpr Hash kSha512 = {
    "SHA2-512", "SHA_512",       64,
    CKM_SHA512, CKG_MGF1_SHA512, "3051300d060960864801650304020305000440"};
// The KMS has no SHA-3; we have it for ECDSA, and to digest.
inline constexpr Hash kSha3With224 = {"SHA3-224", "", 28, CKM_SHA3_224, 0, ""};
inline constexpr Hash kSha3With256 = {"SHA3-256", "", 32, CKM_SHA3_256, 0, ""};
inline constexpr Hash kSha3With384 = {"SHA3-384", "", 48, CKM_SHA3_384, 0, ""};
inline constexpr Hash kSha3With512 = {"SHA3-512", "", 64, CKM_SHA3_512, 0, ""};
// Those that the KMS knows.
std::span<const Hash* const> Hashes();
// Null if there is none of those.
const Hash* FindHash(CK_MECHANISM_TYPE digest);

// A curve. `hash` is that of the digests which KMS signs with keys on it.
struct Curve {
  const char* group;           // OpenSSL's name of it.
  std::string_view ec_params;  // CKA_EC_PARAMS: DER, hexadecimal.
  std::size_t size;            // Bytes of a coordinate, of r and of s.
  const Hash* hash;
};

// Bytes of the secret keys of sessions: AES keys, and others, of which the
// longest is as long as what the KMS wraps.
inline constexpr std::array<std::size_t, 3> kAesKeyBytes = {16, 24, 32};
inline constexpr std::size_t kMaxSecretBytes = 4096;

// KMS's KeyUsage.
enum class Usage : std::uint8_t {
  kSignVerify,
  kEncryptDecrypt,
  kGenerateVerifyMac,
  kKeyAgreement,
};

// Whether the KMS makes RSA signatures with the hash.
bool IsSignedByKms(const Hash& hash);

// A digest of the length that the KMS takes for keys on the curve, and of which
// it makes the signature that `digest` has; nothing if there is none. ECDSA
// signs a number, the leftmost bits of the digest (FIPS 186-5, 6.4.1): a longer
// one is cut, as ECDSA would; a shorter one gets zeros in front, which leave
// the number as it is.
std::optional<base::WipingBytes> FitDigest(const Curve& curve,
                                           base::ByteView digest);

struct KeySpec {
  std::string_view name;  // KMS's.
  CK_KEY_TYPE type;
  CK_ULONG bits;         // Of the modulus, the curve's field or the secret.
  const Curve* curve;    // Null: not on a curve.
  const Hash* mac_hash;  // Null: not an HMAC key.
};

// Whether keys of the spec are pairs.
bool HasPublicKey(const KeySpec& spec);

// Null for what KMS has and we do not know.
const KeySpec* FindKeySpec(std::string_view name);
std::span<const KeySpec> KeySpecs();

// KMS's spelling, and the usage that it stands for, if any.
std::string_view UsageName(Usage usage);
std::optional<Usage> ParseUsage(std::string_view name);

// What a mechanism does with its input and its key.
enum class Scheme : std::uint8_t {
  kRsaPkcs1,
  kRsaPss,
  kEcdsa,
  kEddsa,
  kHmac,
  kHmacGeneral,  // Cut to a length in the parameter.
  kOaep,
  kEcdh,
  kAesEcb,
  kAesCbc,
  kAesCbcPad,
  kAesCtr,
  kAesGcm,
  kAesWrap,     // RFC 3394.
  kAesWrapPad,  // RFC 5649.
  kDigest,
  kEnvelope,  // KMS's own, around AES.
  kGenerate,  // Makes a key and needs none.
};

struct Mechanism {
  CK_MECHANISM_TYPE type;
  Scheme scheme;
  CK_KEY_TYPE key_type;
  Usage usage;
  const Hash* hash;  // Null: the caller hashes, or nobody does.
  CK_FLAGS flags;    // Of CK_MECHANISM_INFO.
};

std::span<const Mechanism> Mechanisms();
// Null if there is no such mechanism.
const Mechanism* FindMechanism(CK_MECHANISM_TYPE type);
// Whether keys of the KMS of this kind can be used with the mechanism.
bool Fits(const Mechanism& mechanism, const KeySpec& spec, Usage usage);
// Whether keys of this type that sessions have for themselves can. They are not
// bound to one usage.
bool FitsSessionKey(const Mechanism& mechanism, CK_KEY_TYPE type);

// The hash of a type of HMAC keys, such as CKK_SHA256_HMAC; null for others.
const Hash* MacHash(CK_KEY_TYPE type);

}  // namespace pkcs11

#endif  // PKCS11_ALGORITHMS_H_
