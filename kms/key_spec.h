// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_KEY_SPEC_H_
#define KMS_KEY_SPEC_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "hsm/messages.h"
#include "kms/model.h"

// The tables of what keys are and can: AWS KMS Developer Guide, "Key spec
// reference". Nothing about a key spec or an algorithm stands elsewhere.
namespace kms {

// A KeyKind is one pair of key spec and key usage that AWS allows.
struct KeyKind {
  KeySpec spec;
  KeyUsage usage;
  // What the token makes; of symmetric keys, the better of two (the token's
  // profile decides).
  hsm::Algorithm algorithm;
  // What the API reports, under the usage's name for the list.
  std::span<const std::string_view> algorithms;
};

std::span<const KeyKind> KeyKinds();

// nullptr if the two do not go together.
const KeyKind* FindKeyKind(KeySpec spec, KeyUsage usage);

// The row of a key that the store holds: reading it has checked that it has
// one.
const KeyKind& KindOf(const Key& key);

// Whether a key of this kind may have a material of `algorithm`.
bool FitsKind(const KeyKind& kind, hsm::Algorithm algorithm);

// Whether the API's `algorithm` is one of the kind's.
bool HasAlgorithm(const KeyKind& kind, std::string_view algorithm);

// "EncryptionAlgorithms" and so on: the member of KeyMetadata that lists them.
std::string_view AlgorithmListName(KeyUsage usage);

// Whether keys of this spec are key pairs, with a public key.
bool IsKeyPair(KeySpec spec);

// Bytes of the modulus; 0 unless the spec is of RSA.
std::size_t ModulusSize(KeySpec spec);

std::size_t HashSize(hsm::Hash hash);

// A SigningAlgorithm is how a signature of this name is made.
struct SigningAlgorithm {
  std::string_view name;
  hsm::SignatureScheme scheme;
  hsm::Hash hash;
};
// nullptr for those that no key of ours has.
const SigningAlgorithm* FindSigningAlgorithm(std::string_view name);

// The hash of an RSAES_OAEP algorithm; none for another.
std::optional<hsm::Hash> OaepHash(std::string_view algorithm);

// The most that one RSAES-OAEP encryption holds (RFC 8017, 7.1.1).
std::size_t OaepMaximum(KeySpec spec, hsm::Hash hash);

// What GenerateDataKeyPair makes for this spec; none if it is not a pair.
std::optional<hsm::Algorithm> DataKeyPairAlgorithm(KeySpec spec);

}  // namespace kms

#endif  // KMS_KEY_SPEC_H_
