// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/public_key.h"

#include <openssl/x509.h>

#include <algorithm>
#include <array>

namespace pkcs11 {
namespace {

struct TypeRow {
  std::string_view type;
  const char* oid;
};
constexpr std::array kTypes = {
    TypeRow{"EC", "1.2.840.10045.2.1"},
    TypeRow{"ED25519", "1.3.101.112"},
    TypeRow{"RSA", "1.2.840.113549.1.1.1"},
    TypeRow{"RSA-PSS", "1.2.840.113549.1.1.10"},
};

}  // namespace

// Not d2i_PUBKEY_ex(): where the host has an engine for keys of this type, that
// makes the engine's key and not one of `library`.
PkeyOwner DecodeSpki(base::ByteView spki, OSSL_LIB_CTX* library) {
  EVP_PKEY* raw = nullptr;
  const DecoderContext decoder(OSSL_DECODER_CTX_new_for_pkey(
      &raw, "DER", "SubjectPublicKeyInfo", nullptr, EVP_PKEY_PUBLIC_KEY,
      library, nullptr));
  const unsigned char* at = spki.data();
  std::size_t left = spki.size();
  const bool decoded = decoder != nullptr &&
                       OSSL_DECODER_from_data(decoder.get(), &at, &left) == 1 &&
                       left == 0;
  PkeyOwner key(raw);
  return decoded ? std::move(key) : nullptr;
}

// By the identifier: a name is first looked up among the types of OpenSSL 1,
// and where the host has an engine for that type, the context is the engine's,
// in whatever library.
PkeyContext MakerOf(std::string_view type, OSSL_LIB_CTX* library) {
  const auto* const row = std::ranges::find(kTypes, type, &TypeRow::type);
  return PkeyContext(row == kTypes.end() ? nullptr
                                         : EVP_PKEY_CTX_new_from_name(
                                               library, row->oid, nullptr));
}

base::Result<base::Bytes> SpkiOf(const EVP_PKEY* key) {
  const QuietQueue quiet;
  const int size = i2d_PUBKEY(key, nullptr);
  if (size <= 0) {
    return base::Error{base::ErrorCode::kInternal,
                       "OpenSSL cannot encode a public key"};
  }
  base::Bytes spki(static_cast<std::size_t>(size));
  unsigned char* at = spki.data();
  i2d_PUBKEY(key, &at);
  return spki;
}

}  // namespace pkcs11
