// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/message.h"

#include <utility>

namespace pkcs11::module {

Answer<Message> Message::Create(const Hash* hash, OSSL_LIB_CTX* library,
                                std::size_t most) {
  Message message;
  message.most_ = most;
  message.hash_ = hash;
  if (hash != nullptr) {
    const QuietQueue quiet;
    const DigestOwner digest(EVP_MD_fetch(library, hash->name, nullptr));
    message.digest_.reset(EVP_MD_CTX_new());
    if (digest == nullptr || message.digest_ == nullptr ||
        EVP_DigestInit_ex2(message.digest_.get(), digest.get(), nullptr) != 1) {
      return Failure(CKR_GENERAL_ERROR, "OpenSSL lacks a hash");
    }
  }
  return message;
}

Status Message::Update(base::ByteView part) {
  if (hash_ != nullptr) {
    if (EVP_DigestUpdate(digest_.get(), part.data(), part.size()) != 1) {
      return Failure(CKR_GENERAL_ERROR, "OpenSSL cannot hash");
    }
    return {};
  }
  if (part.size() > most_ - kept_.size()) {
    return Failure(CKR_DATA_LEN_RANGE);
  }
  kept_.insert(kept_.end(), part.begin(), part.end());
  return {};
}

Answer<base::WipingBytes> Message::Finish() {
  if (hash_ == nullptr) {
    return std::move(kept_);
  }
  base::WipingBytes digest(hash_->size);
  if (EVP_DigestFinal_ex(digest_.get(), digest.data(), nullptr) != 1) {
    return Failure(CKR_GENERAL_ERROR, "OpenSSL cannot hash");
  }
  return digest;
}

}  // namespace pkcs11::module
