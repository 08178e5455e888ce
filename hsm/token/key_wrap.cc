// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/key_wrap.h"

#include <openssl/err.h>

#include <algorithm>

#include "hsm/token/openssl.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kSemiblock = 8;
constexpr std::size_t kMaxWrapped = 16384;

// Null if no AES key is that long.
CipherOwner CipherFor(std::size_t key_size) {
  const char* name = key_size == 16   ? "AES-128-WRAP-PAD"
                     : key_size == 24 ? "AES-192-WRAP-PAD"
                     : key_size == 32 ? "AES-256-WRAP-PAD"
                                      : nullptr;
  return CipherOwner(
      name == nullptr ? nullptr : EVP_CIPHER_fetch(nullptr, name, nullptr));
}

CipherContext Start(base::ByteView key, bool wraps) {
  const CipherOwner cipher = CipherFor(key.size());
  CipherContext context(EVP_CIPHER_CTX_new());
  if (cipher == nullptr || context == nullptr) {
    return nullptr;
  }
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  if (EVP_CipherInit_ex2(context.get(), cipher.get(), key.data(), nullptr,
                         wraps ? 1 : 0, nullptr) != 1) {
    return nullptr;
  }
  return context;
}

}  // namespace

base::Result<base::Secret> UnwrapRfc5649(base::ByteView wrapping_key,
                                         base::ByteView wrapped) {
  const Error wrong{ErrorCode::kInvalidCiphertext, ""};
  if (wrapped.size() < 2 * kSemiblock || wrapped.size() % kSemiblock != 0 ||
      wrapped.size() > kMaxWrapped) {
    return wrong;
  }
  const CipherContext context = Start(wrapping_key, false);
  base::Secret key(wrapped.size() + kSemiblock);
  int size = 0;
  const bool opened =
      context != nullptr &&
      EVP_CipherUpdate(context.get(), key.Reveal().data(), &size,
                       wrapped.data(), static_cast<int>(wrapped.size())) == 1;
  ERR_clear_error();
  if (!opened || size <= 0) {
    return wrong;
  }
  key.Truncate(static_cast<std::size_t>(size));
  return key;
}

base::Result<base::Bytes> WrapRfc5649(base::ByteView wrapping_key,
                                      base::ByteView key) {
  const CipherContext context = Start(wrapping_key, true);
  base::Bytes wrapped(key.size() + 3 * kSemiblock);
  int size = 0;
  if (context == nullptr ||
      EVP_CipherUpdate(context.get(), wrapped.data(), &size, key.data(),
                       static_cast<int>(key.size())) != 1) {
    ERR_clear_error();
    return Error{ErrorCode::kInternal, "OpenSSL cannot wrap a key"};
  }
  wrapped.resize(static_cast<std::size_t>(size));
  return wrapped;
}

}  // namespace hsm::token
