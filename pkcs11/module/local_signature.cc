// SPDX-License-Identifier: Apache-2.0
#include <openssl/rsa.h>

#include <utility>

#include "pkcs11/module/signature.h"
#include "pkcs11/owners.h"

namespace pkcs11::module {
namespace {

// The DER of a signature whose halves are r and s; empty if there is none.
base::Bytes DerOf(base::ByteView raw) {
  const int half = static_cast<int>(raw.size() / 2);
  const EcdsaSignature signature(ECDSA_SIG_new());
  BignumOwner r(BN_bin2bn(raw.data(), half, nullptr));
  BignumOwner s(BN_bin2bn(raw.data() + half, half, nullptr));
  if (signature == nullptr || r == nullptr || s == nullptr ||
      ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) {
    return {};
  }
  // The signature has taken both.
  (void)r.release();
  (void)s.release();
  const int size = i2d_ECDSA_SIG(signature.get(), nullptr);
  base::Bytes der(static_cast<std::size_t>(size < 0 ? 0 : size));
  unsigned char* at = der.data();
  return i2d_ECDSA_SIG(signature.get(), &at) == size ? der : base::Bytes();
}

// Without a hash (CKM_RSA_PKCS) the input is what the signature holds.
bool SetScheme(EVP_PKEY_CTX* context, const SignatureKind& kind,
               const EVP_MD* hash) {
  const Scheme scheme = kind.mechanism->scheme;
  if (scheme == Scheme::kEcdsa) {
    return true;  // Cuts the digest by itself.
  }
  if (EVP_PKEY_CTX_set_rsa_padding(context, scheme == Scheme::kRsaPss
                                                ? RSA_PKCS1_PSS_PADDING
                                                : RSA_PKCS1_PADDING) != 1 ||
      (hash != nullptr && EVP_PKEY_CTX_set_signature_md(context, hash) != 1)) {
    return false;
  }
  return scheme != Scheme::kRsaPss ||
         (EVP_PKEY_CTX_set_rsa_mgf1_md(context, hash) == 1 &&
          EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) ==
              1);
}

bool IsEddsaSignature(EVP_PKEY* key, base::ByteView message,
                      base::ByteView signature, OSSL_LIB_CTX* library) {
  const DigestContext context(EVP_MD_CTX_new());
  return context != nullptr &&
         EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, library,
                                 nullptr, key, nullptr) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                          message.data(), message.size()) == 1;
}

base::Bytes SignEddsa(EVP_PKEY* key, base::ByteView message,
                      OSSL_LIB_CTX* library) {
  const DigestContext context(EVP_MD_CTX_new());
  base::Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
  std::size_t size = signature.size();
  if (context == nullptr ||
      EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, library, nullptr,
                            key, nullptr) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &size, message.data(),
                     message.size()) != 1) {
    return {};
  }
  signature.resize(size);
  return signature;
}

// OpenSSL's form of it; empty if it cannot.
base::Bytes MakeSignature(const SignatureKind& kind, base::ByteView input,
                          OSSL_LIB_CTX* library) {
  EVP_PKEY* const key = kind.key->private_key.get();
  if (kind.mechanism->scheme == Scheme::kEddsa) {
    return SignEddsa(key, input, library);
  }
  const DigestOwner hash(kind.hash == nullptr
                             ? nullptr
                             : EVP_MD_fetch(library, kind.hash->name, nullptr));
  const PkeyContext context(EVP_PKEY_CTX_new_from_pkey(library, key, nullptr));
  base::Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
  std::size_t size = signature.size();
  if ((kind.hash != nullptr && hash == nullptr) || context == nullptr ||
      EVP_PKEY_sign_init(context.get()) != 1 ||
      !SetScheme(context.get(), kind, hash.get()) ||
      EVP_PKEY_sign(context.get(), signature.data(), &size, input.data(),
                    input.size()) != 1) {
    return {};
  }
  signature.resize(size);
  return signature;
}

// Whether the scheme signs so many bytes.
bool CanSign(const SignatureKind& kind, std::size_t size) {
  if (kind.hash != nullptr) {
    return size == kind.hash->size;
  }
  switch (kind.mechanism->scheme) {
    case Scheme::kRsaPkcs1:  // RFC 8017, 9.2.
      return size + 11 <= SizeOf(kind);
    case Scheme::kEcdsa:
      return size != 0;
    default:
      return true;
  }
}

bool IsSignature(const SignatureKind& kind, base::ByteView input,
                 base::ByteView signature, OSSL_LIB_CTX* library) {
  EVP_PKEY* const key = kind.key->public_key.get();
  if (kind.mechanism->scheme == Scheme::kEddsa) {
    return IsEddsaSignature(key, input, signature, library);
  }
  DigestOwner hash;
  if (kind.hash != nullptr) {
    hash.reset(EVP_MD_fetch(library, kind.hash->name, nullptr));
    if (hash == nullptr || input.size() != kind.hash->size) {
      return false;
    }
  }
  const base::Bytes form =
      kind.mechanism->scheme == Scheme::kEcdsa
          ? DerOf(signature)
          : base::Bytes(signature.begin(), signature.end());
  const PkeyContext context(EVP_PKEY_CTX_new_from_pkey(library, key, nullptr));
  return context != nullptr && !form.empty() &&
         EVP_PKEY_verify_init(context.get()) == 1 &&
         SetScheme(context.get(), kind, hash.get()) &&
         EVP_PKEY_verify(context.get(), form.data(), form.size(), input.data(),
                         input.size()) == 1;
}

}  // namespace

Answer<base::Bytes> SignLocally(const SignatureKind& kind, base::ByteView input,
                                OSSL_LIB_CTX* library) {
  if (!CanSign(kind, input.size())) {
    return Failure(CKR_DATA_LEN_RANGE);
  }
  const QuietQueue quiet;
  base::Bytes signature = MakeSignature(kind, input, library);
  if (signature.empty()) {
    return Failure(CKR_FUNCTION_FAILED, "OpenSSL cannot sign");
  }
  return FromKms(kind, std::move(signature));
}

base::Bytes SignatureForKms(const SignatureKind& kind,
                            base::ByteView signature) {
  if (signature.size() != SizeOf(kind)) {
    return {};
  }
  const QuietQueue quiet;
  return kind.mechanism->scheme == Scheme::kEcdsa
             ? DerOf(signature)
             : base::Bytes(signature.begin(), signature.end());
}

Status VerifyLocally(const SignatureKind& kind, base::ByteView input,
                     base::ByteView signature, OSSL_LIB_CTX* library) {
  if (signature.size() != SizeOf(kind)) {
    return Failure(CKR_SIGNATURE_LEN_RANGE);
  }
  if (!CanSign(kind, input.size())) {
    return Failure(CKR_DATA_LEN_RANGE);
  }
  const QuietQueue quiet;
  if (!IsSignature(kind, input, signature, library)) {
    return Failure(CKR_SIGNATURE_INVALID);
  }
  return {};
}

}  // namespace pkcs11::module
