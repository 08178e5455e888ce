// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/openssl/signature_context.h"

#include <openssl/core_names.h>

#include <algorithm>
#include <array>
#include <utility>

namespace pkcs11::openssl {
namespace {

// AWS KMS API Reference, Sign: a message that is no digest.
constexpr std::size_t kMaxMessageBytes = 4096;

constexpr std::string_view kInstead =
    "; SHA-256, SHA-384 and SHA-512 are possible";

DigestOwner Share(const DigestOwner& digest) {
  if (digest != nullptr) {
    EVP_MD_up_ref(digest.get());
  }
  return DigestOwner(digest.get());
}

// Which hash of the KMS it is; null if none.
const Hash* HashOf(const DigestOwner& digest) {
  const auto hashes = Hashes();
  const auto found = std::ranges::find_if(hashes, [&](const Hash* hash) {
    return digest != nullptr && EVP_MD_is_a(digest.get(), hash->name) == 1;
  });
  return found == hashes.end() ? nullptr : *found;
}

std::string NameOf(const DigestOwner& digest) {
  return digest == nullptr ? "" : EVP_MD_get0_name(digest.get());
}

}  // namespace

SignatureContext::SignatureContext(ContextOwner context)
    : context_(std::move(context)) {}

std::unique_ptr<SignatureContext> SignatureContext::Copy() const {
  auto copy = std::make_unique<SignatureContext>(context_);
  copy->purpose_ = purpose_;
  copy->kms_key_ = kms_key_;
  copy->public_key_ = openssl::Share(public_key_);
  copy->padding_ = padding_;
  copy->salt_length_ = salt_length_;
  copy->digest_ = Share(digest_);
  copy->mgf_digest_ = Share(mgf_digest_);
  if (running_ != nullptr) {
    copy->running_.reset(EVP_MD_CTX_new());
    if (copy->running_ == nullptr ||
        EVP_MD_CTX_copy_ex(copy->running_.get(), running_.get()) != 1) {
      return nullptr;
    }
  }
  return copy;
}

bool SignatureContext::Refuse(Reason reason, const std::string& text) const {
  context_->core().Raise(reason, text);
  return false;
}

bool SignatureContext::IsRsa() const {
  return EVP_PKEY_is_a(public_key_.get(), "RSA") == 1 ||
         EVP_PKEY_is_a(public_key_.get(), "RSA-PSS") == 1;
}

bool SignatureContext::IsEdwards() const {
  return EVP_PKEY_is_a(public_key_.get(), "ED25519") == 1;
}

bool SignatureContext::Begin(Purpose purpose, const KeyHandle* key,
                             const std::string& digest) {
  if (key != nullptr) {
    if (key->public_key == nullptr ||
        (purpose == Purpose::kSign && !MayUse(*key, Usage::kSignVerify))) {
      return false;
    }
    kms_key_ = key->kms_key;
    public_key_ = openssl::Share(key->public_key);
    padding_ = EVP_PKEY_is_a(public_key_.get(), "RSA-PSS") == 1
                   ? RSA_PKCS1_PSS_PADDING
                   : RSA_PKCS1_PADDING;
    salt_length_.reset();
    mgf_digest_.reset();
    digest_.reset();
  }
  if (public_key_ == nullptr ||
      (purpose == Purpose::kSign && kms_key_ == nullptr)) {
    return Refuse(Reason::kArguments, "there is no key to work with");
  }
  purpose_ = purpose;
  running_.reset();
  return digest.empty() || SetDigest(digest);
}

DigestOwner SignatureContext::Fetch(const std::string& name) const {
  const QuietQueue quiet;
  return DigestOwner(EVP_MD_fetch(context_->library(), name.c_str(), nullptr));
}

bool SignatureContext::SetDigest(const std::string& name) {
  if (IsEdwards()) {
    return Refuse(Reason::kArguments, "Ed25519 has no digest to choose");
  }
  DigestOwner fetched = Fetch(name);
  if (fetched == nullptr) {
    return Refuse(Reason::kArguments, "OpenSSL has no digest " + name);
  }
  digest_ = std::move(fetched);
  return purpose_ != Purpose::kSign || MaySign();
}

bool SignatureContext::SetPadding(int padding) {
  if (padding != RSA_PKCS1_PADDING && padding != RSA_PKCS1_PSS_PADDING) {
    return Refuse(Reason::kNotByKms,
                  "RSA signatures are PKCS#1 v1.5 or PSS: a KMS signs nothing "
                  "that it has not padded itself");
  }
  if (!IsRsa() || (padding == RSA_PKCS1_PADDING &&
                   EVP_PKEY_is_a(public_key_.get(), "RSA-PSS") == 1)) {
    return Refuse(Reason::kArguments, "a key of this type has no such padding");
  }
  padding_ = padding;
  return true;
}

bool SignatureContext::SetMgfDigest(const std::string& name) {
  mgf_digest_ = Fetch(name);
  if (mgf_digest_ == nullptr) {
    return Refuse(Reason::kArguments, "OpenSSL has no digest " + name);
  }
  return true;
}

bool SignatureContext::SetSaltLength(int length) {
  if (length < RSA_PSS_SALTLEN_MAX) {
    return Refuse(Reason::kArguments, "no salt is that long");
  }
  salt_length_ = length;
  return purpose_ != Purpose::kSign || digest_ == nullptr || MaySignPss();
}

std::string SignatureContext::DigestName() const { return NameOf(digest_); }

std::string SignatureContext::MgfDigestName() const {
  return NameOf(mgf_digest_ == nullptr ? digest_ : mgf_digest_);
}

int SignatureContext::SaltLength() const {
  const int length = salt_length_.value_or(RSA_PSS_SALTLEN_DIGEST);
  return length == RSA_PSS_SALTLEN_DIGEST && digest_ != nullptr
             ? EVP_MD_get_size(digest_.get())
             : length;
}

std::size_t SignatureContext::Size() const {
  return static_cast<std::size_t>(EVP_PKEY_get_size(public_key_.get()));
}

bool SignatureContext::MaySign() const {
  if (IsEdwards()) {
    return true;
  }
  const Hash* const hash = HashOf(digest_);
  const bool possible = IsRsa() ? hash != nullptr && IsSignedByKms(*hash)
                                : EVP_MD_is_a(digest_.get(), kSha1.name) != 1 &&
                                      EVP_MD_get_size(digest_.get()) >=
                                          static_cast<int>(kSha224.size);
  if (!possible) {
    return Refuse(
        Reason::kNotByKms,
        "a KMS signs no digests of " + NameOf(digest_) + std::string(kInstead));
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

bool SignatureContext::Update(base::ByteView bytes) {
  if (running_ == nullptr) {
    DigestContext started(EVP_MD_CTX_new());
    if (digest_ == nullptr || started == nullptr ||
        EVP_DigestInit_ex2(started.get(), digest_.get(), nullptr) != 1) {
      return Refuse(Reason::kArguments, "there is no digest to work with");
    }
    running_ = std::move(started);
  }
  return EVP_DigestUpdate(running_.get(), bytes.data(), bytes.size()) == 1;
}

std::optional<base::Bytes> SignatureContext::Digest() {
  if (!Update({})) {
    return std::nullopt;
  }
  base::Bytes digest(EVP_MAX_MD_SIZE);
  unsigned int size = 0;
  const bool done =
      EVP_DigestFinal_ex(running_.get(), digest.data(), &size) == 1;
  running_.reset();
  digest.resize(size);
  return done ? std::optional(std::move(digest)) : std::nullopt;
}

std::optional<base::Bytes> SignatureContext::Sign(base::ByteView input) const {
  const bool edwards = IsEdwards();
  std::string algorithm = "ED25519_SHA_512";
  std::optional<base::Bytes> message(base::Bytes(input.begin(), input.end()));
  if (edwards) {
    if (input.empty() || input.size() > kMaxMessageBytes) {
      Refuse(Reason::kNotByKms,
             "a KMS makes Ed25519 signatures of 1 to 4096 bytes");
      return std::nullopt;
    }
  } else if (digest_ != nullptr &&
             input.size() !=
                 static_cast<std::size_t>(EVP_MD_get_size(digest_.get()))) {
    Refuse(Reason::kArguments, "this is no digest of " + NameOf(digest_));
    return std::nullopt;
  } else if (IsRsa()) {
    if (!MaySignRsa()) {
      return std::nullopt;
    }
    algorithm = (padding_ == RSA_PKCS1_PSS_PADDING ? "RSASSA_PSS_"
                                                   : "RSASSA_PKCS1_V1_5_") +
                std::string(HashOf(digest_)->kms);
  } else {
    const Curve& curve = *kms_key_->spec->curve;
    message = FitDigest(curve, input);
    algorithm = "ECDSA_" + std::string(curve.hash->kms);
    if (!message.has_value()) {
      Refuse(Reason::kArguments, "the digest has a length that ECDSA on " +
                                     std::string(curve.group) +
                                     " cannot sign with a KMS");
      return std::nullopt;
    }
  }
  base::Result<base::Bytes> signature =
      kms_key_->Sign(*message, !edwards, algorithm);
  if (!signature.has_value()) {
    Refuse(Reason::kKms, signature.error().message);
    return std::nullopt;
  }
  const std::size_t size = signature->size();
  if (size > Size() || (size != Size() && (edwards || IsRsa()))) {
    Refuse(Reason::kKms, "the server's signature has a wrong length");
    return std::nullopt;
  }
  return *std::move(signature);
}

// The same settings for OpenSSL's own signature with the public half.
bool SignatureContext::Configure(EVP_PKEY_CTX* context) const {
  if (context == nullptr) {
    return false;
  }
  if (digest_ != nullptr &&
      EVP_PKEY_CTX_set_signature_md(context, digest_.get()) != 1) {
    return false;
  }
  if (!IsRsa()) {
    return true;
  }
  if (EVP_PKEY_CTX_set_rsa_padding(context, padding_) != 1) {
    return false;
  }
  return padding_ != RSA_PKCS1_PSS_PADDING ||
         (EVP_PKEY_CTX_set_rsa_pss_saltlen(
              context, salt_length_.value_or(RSA_PSS_SALTLEN_DIGEST)) == 1 &&
          (mgf_digest_ == nullptr ||
           EVP_PKEY_CTX_set_rsa_mgf1_md(context, mgf_digest_.get()) == 1));
}

base::Bytes SignatureContext::AlgorithmId() const {
  const QuietQueue quiet;
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* inside = nullptr;
  const std::string name = NameOf(digest_);
  if (public_key_ == nullptr || context == nullptr ||
      EVP_DigestVerifyInit_ex(
          context.get(), &inside, name.empty() ? nullptr : name.c_str(),
          context_->library(), nullptr, public_key_.get(), nullptr) != 1) {
    return {};
  }
  if (IsRsa() && padding_ == RSA_PKCS1_PSS_PADDING &&
      (EVP_PKEY_CTX_set_rsa_padding(inside, padding_) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(inside, SaltLength()) != 1 ||
       (mgf_digest_ != nullptr &&
        EVP_PKEY_CTX_set_rsa_mgf1_md(inside, mgf_digest_.get()) != 1))) {
    return {};
  }
  base::Bytes der(256);
  std::array<OSSL_PARAM, 2> wanted = {
      OSSL_PARAM_construct_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID,
                                        der.data(), der.size()),
      OSSL_PARAM_construct_end()};
  if (EVP_PKEY_CTX_get_params(inside, wanted.data()) != 1 ||
      OSSL_PARAM_modified(wanted.data()) != 1) {
    return {};
  }
  der.resize(wanted.front().return_size);
  return der;
}

bool SignatureContext::Verify(base::ByteView signature,
                              base::ByteView input) const {
  const QuietQueue quiet;
  if (IsEdwards()) {
    const DigestContext context(EVP_MD_CTX_new());
    return context != nullptr &&
           EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr,
                                   context_->library(), nullptr,
                                   public_key_.get(), nullptr) == 1 &&
           EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                            input.data(), input.size()) == 1;
  }
  const PkeyContext context(EVP_PKEY_CTX_new_from_pkey(
      context_->library(), public_key_.get(), nullptr));
  return context != nullptr && EVP_PKEY_verify_init(context.get()) == 1 &&
         Configure(context.get()) &&
         EVP_PKEY_verify(context.get(), signature.data(), signature.size(),
                         input.data(), input.size()) == 1;
}

}  // namespace pkcs11::openssl
