// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/soft/hmac.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <array>
#include <string>
#include <utility>

#include "base/secret.h"
#include "pkcs11/module/key_use.h"
#include "pkcs11/owners.h"

namespace pkcs11::module {
namespace {

// A MAC that is being made.
class Hmac {
 public:
  static Answer<Hmac> Create(const Object& object,
                             const CK_MECHANISM& mechanism,
                             CK_ATTRIBUTE_TYPE use, OSSL_LIB_CTX* library) {
    ASSIGN_OR_FAIL(const Mechanism* row,
                   CheckKeyMayUse(object, mechanism, CKF_SIGN, use));
    Hmac hmac;
    ASSIGN_OR_FAIL(hmac.size_, SizeOf(*row, mechanism));
    const QuietQueue quiet;
    const MacOwner algorithm(EVP_MAC_fetch(library, "HMAC", nullptr));
    hmac.context_.reset(
        algorithm == nullptr ? nullptr : EVP_MAC_CTX_new(algorithm.get()));
    std::string hash = row->hash->name;
    const std::array<OSSL_PARAM, 2> parameters = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, hash.data(), 0),
        OSSL_PARAM_construct_end()};
    if (hmac.context_ == nullptr ||
        EVP_MAC_init(hmac.context_.get(), object.secret->data(),
                     object.secret->size(), parameters.data()) != 1) {
      return Failure(CKR_GENERAL_ERROR, "OpenSSL lacks a hash");
    }
    return hmac;
  }

  std::size_t size() const { return size_; }

  Status Update(base::ByteView part) {
    if (EVP_MAC_update(context_.get(), part.data(), part.size()) != 1) {
      return Failure(CKR_GENERAL_ERROR, "OpenSSL cannot hash");
    }
    return {};
  }

  Answer<base::WipingBytes> Finish() {
    base::WipingBytes mac(EVP_MAX_MD_SIZE);
    std::size_t size = 0;
    if (EVP_MAC_final(context_.get(), mac.data(), &size, mac.size()) != 1) {
      return Failure(CKR_GENERAL_ERROR, "OpenSSL cannot hash");
    }
    mac.resize(size_);
    return mac;
  }

 private:
  Hmac() = default;

  // CKM_*_HMAC_GENERAL cut the MAC to the length in the parameter.
  static Answer<std::size_t> SizeOf(const Mechanism& row,
                                    const CK_MECHANISM& mechanism) {
    if (row.scheme == Scheme::kHmac) {
      if (!HasNoParameter(mechanism)) {
        return Failure(CKR_MECHANISM_PARAM_INVALID);
      }
      return row.hash->size;
    }
    const auto size = ParameterOf<CK_ULONG>(mechanism);
    if (!size.has_value() || *size == 0 || *size > row.hash->size) {
      return Failure(CKR_MECHANISM_PARAM_INVALID);
    }
    return *size;
  }

  std::size_t size_ = 0;
  MacContext context_;
};

class HmacSigning final : public SignOperation {
 public:
  explicit HmacSigning(Hmac hmac) : hmac_(std::move(hmac)) {}

  std::size_t size() const override { return hmac_.size(); }
  Status Update(base::ByteView part) override { return hmac_.Update(part); }
  Answer<base::Bytes> Finish() override {
    ASSIGN_OR_FAIL(const base::WipingBytes mac, hmac_.Finish());
    return base::Bytes(mac.begin(), mac.end());
  }

 private:
  Hmac hmac_;
};

class HmacVerifying final : public VerifyOperation {
 public:
  explicit HmacVerifying(Hmac hmac) : hmac_(std::move(hmac)) {}

  Status Update(base::ByteView part) override { return hmac_.Update(part); }

  Status Finish(base::ByteView signature) override {
    if (signature.size() != hmac_.size()) {
      return Failure(CKR_SIGNATURE_LEN_RANGE);
    }
    ASSIGN_OR_FAIL(const base::WipingBytes mac, hmac_.Finish());
    if (!base::ConstantTimeEqual(mac, signature)) {
      return Failure(CKR_SIGNATURE_INVALID);
    }
    return {};
  }

 private:
  Hmac hmac_;
};

}  // namespace

Answer<std::unique_ptr<SignOperation>> StartSecretSigning(
    const Object& object, const CK_MECHANISM& mechanism,
    OSSL_LIB_CTX* library) {
  ASSIGN_OR_FAIL(Hmac hmac, Hmac::Create(object, mechanism, CKA_SIGN, library));
  std::unique_ptr<SignOperation> operation =
      std::make_unique<HmacSigning>(std::move(hmac));
  return operation;
}

Answer<std::unique_ptr<VerifyOperation>> StartSecretVerifying(
    const Object& object, const CK_MECHANISM& mechanism,
    OSSL_LIB_CTX* library) {
  ASSIGN_OR_FAIL(Hmac hmac,
                 Hmac::Create(object, mechanism, CKA_VERIFY, library));
  std::unique_ptr<VerifyOperation> operation =
      std::make_unique<HmacVerifying>(std::move(hmac));
  return operation;
}

}  // namespace pkcs11::module
