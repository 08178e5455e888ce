// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <cstdlib>

namespace base {
namespace {

template <auto kFree>
struct Freer {
  template <typename T>
  void operator()(T* p) const {
    kFree(p);
  }
};

void Require(bool ok) {
  if (!ok) {
    std::abort();
  }
}

}  // namespace

struct Hasher::Contexts {
  std::unique_ptr<EVP_MD, Freer<EVP_MD_free>> sha256;
  std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX_free>> digest;
  std::unique_ptr<EVP_MAC, Freer<EVP_MAC_free>> hmac;
  std::unique_ptr<EVP_MAC_CTX, Freer<EVP_MAC_CTX_free>> mac;
};

Hasher::Hasher(OSSL_LIB_CTX* context)
    : contexts_(std::make_unique<Contexts>()) {
  contexts_->sha256.reset(EVP_MD_fetch(context, "SHA256", nullptr));
  contexts_->digest.reset(EVP_MD_CTX_new());
  contexts_->hmac.reset(EVP_MAC_fetch(context, "HMAC", nullptr));
  Require(contexts_->sha256 && contexts_->digest && contexts_->hmac);
  contexts_->mac.reset(EVP_MAC_CTX_new(contexts_->hmac.get()));
  Require(contexts_->mac != nullptr);
  // The digest is named once; EVP_MAC_init with a key then re-uses it.
  char name[] = "SHA256";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
      OSSL_PARAM_construct_end()};
  Require(EVP_MAC_CTX_set_params(contexts_->mac.get(), params) == 1);
}

Hasher::~Hasher() = default;

Digest Hasher::Sha256(ByteView data) {
  Start();
  Update(data);
  return Finish();
}

Digest Hasher::HmacSha256(ByteView key, ByteView data) {
  // A null key would mean "the key of before".
  static constexpr std::uint8_t kEmpty = 0;
  const std::uint8_t* bytes = key.empty() ? &kEmpty : key.data();
  Digest mac;
  std::size_t size = mac.size();
  EVP_MAC_CTX* const context = contexts_->mac.get();
  Require(EVP_MAC_init(context, bytes, key.size(), nullptr) == 1 &&
          EVP_MAC_update(context, data.data(), data.size()) == 1 &&
          EVP_MAC_final(context, mac.data(), &size, mac.size()) == 1);
  return mac;
}

void Hasher::Start() {
  Require(EVP_DigestInit_ex2(contexts_->digest.get(), contexts_->sha256.get(),
                             nullptr) == 1);
}

void Hasher::Update(ByteView data) {
  Require(EVP_DigestUpdate(contexts_->digest.get(), data.data(), data.size()) ==
          1);
}

Digest Hasher::Finish() {
  Digest digest;
  Require(EVP_DigestFinal_ex(contexts_->digest.get(), digest.data(), nullptr) ==
          1);
  return digest;
}

Hasher& ThreadHasher() {
  thread_local Hasher hasher(nullptr);
  return hasher;
}

}  // namespace base
