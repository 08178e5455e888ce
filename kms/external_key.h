// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_EXTERNAL_KEY_H_
#define KMS_EXTERNAL_KEY_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "hsm/client/client.h"

// The keys that this server keeps for other key management services: what is
// behind the XKS proxy (docs/xks-proxy.md). They are no KMS keys and have no
// ARN. Plain data.
namespace kms {

// One value of an external key. Rotation adds one; ciphertexts name theirs.
struct ExternalKeyVersion {
  std::uint32_t version = 0;  // From 1.
  hsm::KeyRef ref;
  // BoundCheckValue() of the token's object.
  hsm::CheckValue check_value{};
  std::string key_store;  // Name of the configured key store.
  base::WallTime created{};
};

// An ExternalKey is an AES-256 key of one tenant of the XKS proxy.
struct ExternalKey {
  std::string tenant;
  std::string id;  // 1..128 characters A-Z a-z 0-9 - _ . ; the tenant's only.
  bool enabled = true;
  base::WallTime created{};
  std::vector<ExternalKeyVersion> versions;  // The oldest first, never empty.
};

// What the store knows of the value of a version of external key `id` of
// `tenant`: a hash of all that, and of the check value that the token gives for
// its object. Who has the store alone cannot make the one of another key, for
// which it would need that object's.
hsm::CheckValue BoundCheckValue(std::string_view tenant, std::string_view id,
                                std::uint32_t version,
                                const hsm::CheckValue& of_object,
                                base::Hasher& hasher);

// What a KMS signs its requests to a tenant with. Its secret is sealed under
// the service key "xks-credentials".
struct XksCredential {
  std::string access_key_id;  // 20..30 characters A-Z 2-7.
  std::string tenant;
  hsm::Sealed sealed_secret;
  base::WallTime created{};
};

}  // namespace kms

#endif  // KMS_EXTERNAL_KEY_H_
