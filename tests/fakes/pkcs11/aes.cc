// SPDX-License-Identifier: Apache-2.0
#include "tests/fakes/pkcs11/aes.h"

#include <openssl/evp.h>

#include <memory>
#include <string>

namespace fakes::pkcs11 {
namespace {

constexpr int kTagSize = 16;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const {
    EVP_CIPHER_CTX_free(context);
  }
};
struct FreeCipher {
  void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

Context Start(View key, const char* mode, View iv, bool encrypt) {
  const std::string name = "AES-" + std::to_string(key.size() * 8) + "-" + mode;
  const std::unique_ptr<EVP_CIPHER, FreeCipher> cipher(
      EVP_CIPHER_fetch(nullptr, name.c_str(), nullptr));
  Context context(EVP_CIPHER_CTX_new());
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  const bool started =
      cipher != nullptr &&
      EVP_CipherInit_ex2(context.get(), cipher.get(), key.data(),
                         iv.empty() ? nullptr : iv.data(), encrypt ? 1 : 0,
                         nullptr) == 1;
  return started ? std::move(context) : nullptr;
}

std::optional<Bytes> Run(EVP_CIPHER_CTX* context, View in) {
  Bytes out(in.size() + 32);
  int size = 0;
  int last = 0;
  if (EVP_CipherUpdate(context, out.data(), &size, in.data(),
                       static_cast<int>(in.size())) != 1 ||
      EVP_CipherFinal_ex(context, out.data() + size, &last) != 1) {
    return std::nullopt;
  }
  out.resize(static_cast<std::size_t>(size) + static_cast<std::size_t>(last));
  return out;
}

bool AddAad(EVP_CIPHER_CTX* context, View aad) {
  int size = 0;
  return aad.empty() || EVP_CipherUpdate(context, nullptr, &size, aad.data(),
                                         static_cast<int>(aad.size())) == 1;
}

std::optional<Bytes> WithoutPadding(View key, const char* mode, View in,
                                    bool encrypt) {
  const Context context = Start(key, mode, {}, encrypt);
  if (context == nullptr) {
    return std::nullopt;
  }
  EVP_CIPHER_CTX_set_padding(context.get(), 0);
  return Run(context.get(), in);
}

}  // namespace

std::optional<Bytes> EncryptGcm(View key, View iv, View aad, View plaintext) {
  const Context context = Start(key, "GCM", iv, true);
  if (context == nullptr || !AddAad(context.get(), aad)) {
    return std::nullopt;
  }
  auto out = Run(context.get(), plaintext);
  Bytes tag(kTagSize);
  EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTagSize,
                      tag.data());
  out->insert(out->end(), tag.begin(), tag.end());
  return out;
}

std::optional<Bytes> DecryptGcm(View key, View iv, View aad, View ciphertext) {
  if (ciphertext.size() < kTagSize) {
    return std::nullopt;
  }
  const View body = ciphertext.first(ciphertext.size() - kTagSize);
  const View tail = ciphertext.last(kTagSize);
  Bytes tag(tail.begin(), tail.end());
  const Context context = Start(key, "GCM", iv, false);
  if (context == nullptr || !AddAad(context.get(), aad) ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kTagSize,
                          tag.data()) != 1) {
    return std::nullopt;
  }
  return Run(context.get(), body);
}

std::optional<Bytes> EncryptEcb(View key, View blocks) {
  return WithoutPadding(key, "ECB", blocks, true);
}

std::optional<Bytes> WrapKwp(View key, View plaintext) {
  return WithoutPadding(key, "WRAP-PAD", plaintext, true);
}

std::optional<Bytes> UnwrapKwp(View key, View ciphertext) {
  return WithoutPadding(key, "WRAP-PAD", ciphertext, false);
}

}  // namespace fakes::pkcs11
