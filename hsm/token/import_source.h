// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_IMPORT_SOURCE_H_
#define HSM_TOKEN_IMPORT_SOURCE_H_

#include <memory>

#include "hsm/algorithms.h"
#include "hsm/messages.h"
#include "hsm/token/clear_key.h"
#include "hsm/token/key_maker.h"
#include "hsm/token/profile.h"

namespace hsm::token {

// Which way imported material for a key of `row` takes on such a token.
ImportRoute RouteOf(const Profile& profile, WrappingAlgorithm wrapping,
                    const AlgorithmRow& row);

// A Source is key material on its way in: it can be made an object, again and
// again. Not thread-safe; what it was opened with must outlive it.
class Source {
 public:
  virtual ~Source() = default;

  // Makes an object with these attributes of it.
  virtual Answer<ObjectHandle> Make(Session& session, Template attributes) = 0;

  // Null if the material is in the token; then objects that are made of it
  // have to be modifiable and copyable.
  virtual const ClearKey* clear() const { return nullptr; }
};

// Takes `request.wrapped` apart by the route that RouteOf tells, with the token
// object `wrapping_key`. Fails with kInvalidCiphertext, whatever is wrong, or
// at the first Make.
base::Result<std::unique_ptr<Source>> OpenSource(
    Workshop& workshop, ObjectHandle wrapping_key,
    const ImportKeyRequest& request);

}  // namespace hsm::token

#endif  // HSM_TOKEN_IMPORT_SOURCE_H_
