// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CIPHERTEXT_H_
#define KMS_CIPHERTEXT_H_

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/result.h"
#include "hsm/client/client.h"
#include "kms/key_id.h"
#include "kms/model.h"

// The CiphertextBlob of symmetric keys. docs/protocol/ciphertext.md freezes it.
namespace kms {

// An EncryptionContext is the caller's key-value pairs, sorted by the UTF-8
// bytes of the key, no key twice. The views are borrowed from the request.
using EncryptionContext =
    std::vector<std::pair<std::string_view, std::string_view>>;

// How a ciphertext is made. The first two are the hsm::Algorithm of the
// material with the same number.
enum class CiphertextAlgorithm : std::uint8_t {
  kXaes256Gcm = 1,
  kAes256GcmCounter = 2,
  // By one of those, and then by the external key of an external key store.
  kExternalKeyStore = 3,
};

// What a CiphertextBlob says about itself, in clear and authenticated.
struct CiphertextHeader {
  CiphertextAlgorithm algorithm = CiphertextAlgorithm::kXaes256Gcm;
  KeyIdBytes key_id;
  MaterialId material{};
};

struct Ciphertext {
  CiphertextHeader header;
  hsm::Sealed sealed;         // Of kExternalKeyStore the nonce alone,
  hsm::ExternalSealed outer;  // and this.
};

inline constexpr std::size_t kMaxCiphertextSize = 6144;

// Fails with kInvalidCiphertext, without a message as AWS does, unless `blob`
// is exactly one well-formed ciphertext.
base::Result<Ciphertext> ParseCiphertext(base::ByteView blob);

base::Bytes SerializeCiphertext(const CiphertextHeader& header,
                                const hsm::Sealed& sealed);

// The same with kExternalKeyStore; `outer` must be an outer layer, around the
// ciphertext that was made with `nonce`.
base::Bytes SerializeCiphertext(const CiphertextHeader& header,
                                const hsm::Nonce& nonce,
                                const hsm::ExternalSealed& outer);

// Whether the sizes of its parts are those that an outer layer can have.
bool IsOuterLayer(const hsm::ExternalSealed& outer);

// The additional authenticated data: SHA-256 over the header and the context.
hsm::Aad CiphertextAad(const CiphertextHeader& header,
                       const EncryptionContext& context, base::Hasher& hasher);

// The KeyMaterialId of a material of `key_id` with this check value: the same
// bytes in the same key always give the same id.
MaterialId MakeMaterialId(const KeyIdBytes& key_id,
                          const hsm::CheckValue& check_value,
                          base::Hasher& hasher);

}  // namespace kms

#endif  // KMS_CIPHERTEXT_H_
