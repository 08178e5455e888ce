// SPDX-License-Identifier: Apache-2.0
// The part of SignatureContext that is about the KMS: what it signs, and how it
// is asked.
#include <algorithm>
#include <array>
#include <utility>

#include "pkcs11/openssl/signature_context.h"

namespace pkcs11::openssl {
namespace {

// AWS KMS API Reference, Sign: a message that is no digest.
constexpr std::size_t kMaxMessageBytes = 4096;

constexpr std::string_view kInstead =
    "; SHA-256, SHA-384 and SHA-512 are possible";

// Which hash of the KMS it is; null if none.
const Hash* HashOf(const DigestOwner& digest) {
  const auto hashes = Hashes();
  const auto found = std::ranges::find_if(hashes, [&](const Hash* hash) {
    return digest != nullptr && EVP_MD_is_a(digest.get(), hash->name) == 1;
  });
  return found == hashes.end() ? nullptr : *found;
}

// ECDSA signs a number, which the KMS need not know the hash of. Not of any:
// the rest are weak, have no algorithm identifier with ECDSA, or no fixed
// length.
constexpr std::array kEcdsaDigests = {
    "SHA2-224",     "SHA2-256", "SHA2-384", "SHA2-512", "SHA2-512/224",
    "SHA2-512/256", "SHA3-224", "SHA3-256", "SHA3-384", "SHA3-512",
};

bool IsEcdsaDigest(const DigestOwner& digest) {
  return std::ranges::any_of(kEcdsaDigests, [&](const char* name) {
    return EVP_MD_is_a(digest.get(), name) == 1;
  });
}

}  // namespace

bool SignatureContext::MaySign() const {
  if (IsEdwards()) {
    return true;
  }
  const Hash* const hash = HashOf(digest_);
  const bool possible = IsRsa() ? hash != nullptr && IsSignedByKms(*hash)
                                : IsEcdsaDigest(digest_);
  if (!possible) {
    return Refuse(Reason::kNotByKms, "a KMS signs no digests of " +
                                         DigestName() + std::string(kInstead));
  }
  return true;
}

// Of PSS the KMS has one kind: one hash throughout, a salt as long as it.
bool SignatureContext::MaySignPss() const {
  const int size = EVP_MD_get_size(digest_.get());
  if (mgf_digest_ != nullptr &&
      EVP_MD_is_a(mgf_digest_.get(), EVP_MD_get0_name(digest_.get())) != 1) {
    return Refuse(Reason::kNotByKms,
                  "a KMS makes PSS signatures with one hash throughout: the "
                  "digest of MGF1 must be that of the message");
  }
  int salt = salt_length_.value_or(RSA_PSS_SALTLEN_DIGEST);
  if (salt == RSA_PSS_SALTLEN_AUTO || salt == RSA_PSS_SALTLEN_MAX) {
    salt = static_cast<int>(Size()) - size - 2;  // As OpenSSL takes them.
  }
  if (salt != RSA_PSS_SALTLEN_DIGEST && salt != size) {
    return Refuse(Reason::kNotByKms,
                  "a KMS makes PSS signatures with a salt as long as the "
                  "digest: rsa_pss_saltlen:digest");
  }
  return true;
}

bool SignatureContext::MaySignRsa() const {
  if (digest_ == nullptr) {
    return Refuse(Reason::kNotByKms,
                  "a KMS signs digests whose hash it knows: say which "
                  "(-pkeyopt digest:sha256)");
  }
  return MaySign() && (padding_ != RSA_PKCS1_PSS_PADDING || MaySignPss());
}

std::optional<SignatureContext::Request> SignatureContext::EdwardsRequest(
    base::ByteView message) const {
  if (message.empty() || message.size() > kMaxMessageBytes) {
    Refuse(Reason::kNotByKms,
           "a KMS makes Ed25519 signatures of 1 to 4096 bytes");
    return std::nullopt;
  }
  return Request{{message.begin(), message.end()}, false, "ED25519_SHA_512"};
}

std::optional<SignatureContext::Request> SignatureContext::RsaRequest(
    base::ByteView digest) const {
  if (!MaySignRsa()) {
    return std::nullopt;
  }
  const bool pss = padding_ == RSA_PKCS1_PSS_PADDING;
  return Request{{digest.begin(), digest.end()},
                 true,
                 (pss ? "RSASSA_PSS_" : "RSASSA_PKCS1_V1_5_") +
                     std::string(HashOf(digest_)->kms)};
}

std::optional<SignatureContext::Request> SignatureContext::EcdsaRequest(
    base::ByteView digest) const {
  const Curve& curve = *kms_key_->spec->curve;
  std::optional<base::WipingBytes> fitted = FitDigest(curve, digest);
  if (!fitted.has_value()) {
    Refuse(Reason::kArguments, "the digest has a length that ECDSA on " +
                                   std::string(curve.group) +
                                   " cannot sign with a KMS");
    return std::nullopt;
  }
  return Request{*std::move(fitted), true,
                 "ECDSA_" + std::string(curve.hash->kms)};
}

std::optional<SignatureContext::Request> SignatureContext::ToKms(
    base::ByteView input) const {
  if (IsEdwards()) {
    return EdwardsRequest(input);
  }
  if (digest_ != nullptr &&
      input.size() !=
          static_cast<std::size_t>(EVP_MD_get_size(digest_.get()))) {
    Refuse(Reason::kArguments, "this is no digest of " + DigestName());
    return std::nullopt;
  }
  return IsRsa() ? RsaRequest(input) : EcdsaRequest(input);
}

std::optional<base::Bytes> SignatureContext::Sign(base::ByteView input) const {
  if (purpose_ != Purpose::kSign || kms_key_ == nullptr) {
    Refuse(Reason::kArguments, "no signature has begun");
    return std::nullopt;
  }
  const std::optional<Request> request = ToKms(input);
  if (!request.has_value()) {
    return std::nullopt;
  }
  base::Result<base::Bytes> signature =
      kms_key_->Sign(request->message, request->is_digest, request->algorithm);
  if (!signature.has_value()) {
    Refuse(Reason::kKms, signature.error().message);
    return std::nullopt;
  }
  const std::size_t size = signature->size();
  if (size > Size() || (size != Size() && (IsEdwards() || IsRsa()))) {
    Refuse(Reason::kKms, "the server's signature has a wrong length");
    return std::nullopt;
  }
  return *std::move(signature);
}

}  // namespace pkcs11::openssl
