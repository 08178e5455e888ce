// SPDX-License-Identifier: Apache-2.0
// RFC 5280, as much of it as a certificate without extensions needs.
#include "pkcs11/module/ephemeral_certificates.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <utility>

#include "pkcs11/module/key_reply.h"
#include "pkcs11/module/log.h"
#include "pkcs11/module/state_lock.h"

namespace pkcs11::module {

// How keys sign them, KMS's name for that and its AlgorithmIdentifier.
struct EphemeralCertificates::SignatureRow {
  CK_KEY_TYPE type;
  std::string_view hash;  // Of the curve; empty: whatever it is.
  std::string_view kms;
  std::string_view identifier;
};

namespace {

using SignatureRow = EphemeralCertificates::SignatureRow;

using base::Bytes;
using base::Json;

constexpr std::uint8_t kInteger = 0x02;
constexpr std::uint8_t kBitString = 0x03;
constexpr std::uint8_t kUtf8String = 0x0C;
constexpr std::uint8_t kSequence = 0x30;
constexpr std::uint8_t kSet = 0x31;

// [0] { INTEGER 2 }: X.509 version 3.
constexpr std::string_view kVersion = "a003020102";
constexpr std::string_view kCommonName = "0603550403";
// From 2000 to the end of 9999: they live as long as the process.
constexpr std::string_view kValidity =
    "3020170d3030303130313030303030305a"
    "180f39393939313233313233353935395a";
constexpr std::size_t kMaxCommonName = 64;  // RFC 5280, ub-common-name.
constexpr std::size_t kSerialBytes = 16;

constexpr auto kSignatures = std::to_array<SignatureRow>({
    {CKK_RSA, "", "RSASSA_PKCS1_V1_5_SHA_256",
     "300d06092a864886f70d01010b0500"},
    {CKK_EC, "SHA_256", "ECDSA_SHA_256", "300a06082a8648ce3d040302"},
    {CKK_EC, "SHA_384", "ECDSA_SHA_384", "300a06082a8648ce3d040303"},
    {CKK_EC, "SHA_512", "ECDSA_SHA_512", "300a06082a8648ce3d040304"},
    {CKK_EC_EDWARDS, "", "ED25519_SHA_512", "300506032b6570"},
});

const SignatureRow* FindSignature(const KeySpec& spec) {
  const auto* const row =
      std::ranges::find_if(kSignatures, [&](const SignatureRow& each) {
        return each.type == spec.type &&
               (each.hash.empty() || each.hash == spec.curve->hash->kms);
      });
  return row == kSignatures.end() ? nullptr : row;
}

Bytes Constant(std::string_view hex) { return *base::HexDecode(hex); }

Bytes Joined(std::initializer_list<base::ByteView> parts) {
  Bytes all;
  for (const base::ByteView part : parts) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

// DER of a tag and its content, which is shorter than 64 KiB.
Bytes Der(std::uint8_t tag, std::initializer_list<base::ByteView> parts) {
  const Bytes content = Joined(parts);
  Bytes head = {tag};
  if (content.size() >= 0x100) {
    head.insert(head.end(),
                {0x82, static_cast<std::uint8_t>(content.size() >> 8U)});
  } else if (content.size() >= 0x80) {
    head.push_back(0x81);
  }
  head.push_back(static_cast<std::uint8_t>(content.size()));
  return Joined({head, content});
}

Bytes NameOf(const Key& key) {
  // A label that is too long, or none, is no name.
  const bool fits = !key.label.empty() && key.label.size() <= kMaxCommonName;
  const std::string_view text =
      fits ? std::string_view(key.label)
           : std::string_view(key.arn).substr(key.arn.rfind('/') + 1);
  const Bytes value = Der(kUtf8String, {base::AsBytes(text)});
  return Der(kSequence,
             {Der(kSet, {Der(kSequence, {Constant(kCommonName), value})})});
}

// Of the public key: the same whenever it is made.
Bytes SerialOf(const Key& key, OSSL_LIB_CTX* library) {
  Bytes hash(EVP_MAX_MD_SIZE);
  EVP_Q_digest(library, "SHA256", nullptr, key.spki.data(), key.spki.size(),
               hash.data(), nullptr);
  hash.resize(kSerialBytes);
  hash.front() = (hash.front() & 0x3FU) | 0x40U;  // Positive and no shorter.
  return hash;
}

base::Result<CertificatePtr> Make(const Key& key, const SignatureRow& row,
                                  Kms& kms, OSSL_LIB_CTX* library) {
  const Bytes identifier = Constant(row.identifier);
  const Bytes name = NameOf(key);
  const Bytes tbs = Der(
      kSequence, {Constant(kVersion), Der(kInteger, {SerialOf(key, library)}),
                  identifier, name, Constant(kValidity), name, key.spki});
  ASSIGN_OR_RETURN(
      const Json reply,
      kms.Call("Sign", {{"KeyId", base::WipingString(key.arn)},
                        {"Message", Base64Json(tbs)},
                        {"MessageType", "RAW"},
                        {"SigningAlgorithm", base::WipingString(row.kms)}}));
  ASSIGN_OR_RETURN(const Bytes signature, BytesMember(reply, "Signature"));
  const Bytes unused_bits = {0};
  return ParseCertificate(
      Der(kSequence,
          {tbs, identifier, Der(kBitString, {unused_bits, signature})}),
      library);
}

// Null if it needs none, or can have none.
const SignatureRow* RowOfNeedy(const Key& key,
                               const std::set<Bytes>& certified) {
  const bool needs = key.IsPair() && key.usage == Usage::kSignVerify &&
                     key.state == "Enabled" && key.certificates.empty() &&
                     !certified.contains(key.spki);
  return needs ? FindSignature(*key.spec) : nullptr;
}

}  // namespace

std::vector<CertificatePtr> EphemeralCertificates::For(
    const std::vector<std::shared_ptr<const Key>>& keys,
    const std::vector<HeldCertificate>& others, Kms& kms,
    OSSL_LIB_CTX* library) {
  std::set<Bytes> certified;
  for (const HeldCertificate& held : others) {
    certified.insert(held.certificate->spki);
  }
  std::vector<CertificatePtr> all;
  for (const std::shared_ptr<const Key>& key : keys) {
    const SignatureRow* const row = RowOfNeedy(*key, certified);
    if (row == nullptr) {
      continue;
    }
    if (CertificatePtr certificate = OneFor(*key, *row, kms, library)) {
      all.push_back(std::move(certificate));
    }
  }
  return all;
}

CertificatePtr EphemeralCertificates::OneFor(const Key& key,
                                             const SignatureRow& row, Kms& kms,
                                             OSSL_LIB_CTX* library) {
  {
    const StateLock lock;
    if (const auto found = made_.find(key.arn); found != made_.end()) {
      return found->second;
    }
  }
  const base::Result<CertificatePtr> made = Make(key, row, kms, library);
  if (!made.has_value()) {
    LogLine(key.arn + " has no certificate: " + made.error().message);
    if (MayPass(made.error().code)) {
      return nullptr;
    }
  }
  const StateLock lock;  // Another thread may have been faster.
  return made_.try_emplace(key.arn, made.has_value() ? *made : nullptr)
      .first->second;
}

}  // namespace pkcs11::module
