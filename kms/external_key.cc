// SPDX-License-Identifier: Apache-2.0
#include "kms/external_key.h"

#include "base/buffer.h"

namespace kms {

hsm::CheckValue BoundCheckValue(std::string_view tenant, std::string_view id,
                                std::uint32_t version,
                                const hsm::CheckValue& of_object,
                                base::Hasher& hasher) {
  base::Writer bound(1024);
  bound.Sized("claviger-external-key-1").Sized(tenant).Sized(id);
  bound.U32(version).Raw(of_object);
  return hasher.Sha256(bound.view());
}

}  // namespace kms
