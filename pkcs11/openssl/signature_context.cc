// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/openssl/signature_context.h"

#include <utility>

namespace pkcs11::openssl {
namespace {

DigestOwner Share(const DigestOwner& digest) {
  if (digest != nullptr) {
    EVP_MD_up_ref(digest.get());
  }
  return DigestOwner(digest.get());
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
    if (purpose == Purpose::kSign && !MayUse(*key, Usage::kSignVerify)) {
      return false;
    }
    if (key->public_key == nullptr || !key->has_point) {
      return Refuse(Reason::kArguments, "the key has no public half");
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
  return true;
}

bool SignatureContext::Fits() const {
  const bool is_pss = salt_length_.has_value() || mgf_digest_ != nullptr;
  return purpose_ != Purpose::kSign || digest_ == nullptr || !is_pss ||
         MaySignPss();
}

std::string SignatureContext::DigestName() const { return NameOf(digest_); }

std::string SignatureContext::MgfDigestName() const {
  return NameOf(mgf_digest_ == nullptr ? digest_ : mgf_digest_);
}

int SignatureContext::SaltLength() const {
  const int length = salt_length_.value_or(purpose_ == Purpose::kVerify
                                               ? RSA_PSS_SALTLEN_AUTO
                                               : RSA_PSS_SALTLEN_DIGEST);
  return length == RSA_PSS_SALTLEN_DIGEST && digest_ != nullptr
             ? EVP_MD_get_size(digest_.get())
             : length;
}

std::size_t SignatureContext::Size() const {
  return static_cast<std::size_t>(EVP_PKEY_get_size(public_key_.get()));
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

}  // namespace pkcs11::openssl
