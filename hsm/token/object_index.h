// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_OBJECT_INDEX_H_
#define HSM_TOKEN_OBJECT_INDEX_H_

#include <map>
#include <optional>

#include "hsm/messages.h"
#include "hsm/token/sessions.h"
#include "hsm/token/token_lock.h"

namespace hsm::token {

// An ObjectIndex knows the handle of every secret and private key on the
// token by its locator. C_FindObjects looks at all objects (0.1 s at 5,000 on
// SoftHSM), so it runs once at start and once for each locator not yet known,
// under the lock.
//
// Not thread-safe; `sessions` must outlive it.
class ObjectIndex {
 public:
  explicit ObjectIndex(Sessions& sessions) : sessions_(sessions) {}

  // Reads the CKA_ID of all keys. Objects that cannot be read, or whose
  // id is not a locator, are not ours and left alone. `hold` proves the lock.
  base::Status Scan(const TokenLock::Hold& hold);

  // The handle, if it is known; nothing is asked of the token.
  std::optional<ObjectHandle> Known(const Locator& locator) const;

  // Asks the token, and remembers. Fails with kNotFound if it has no such key,
  // and with kCorrupt if it has several: somebody else changed it.
  base::Result<ObjectHandle> Search(const TokenLock::Hold& hold,
                                    const Locator& locator);

  void Add(const Locator& locator, ObjectHandle object);
  void Remove(const Locator& locator);

 private:
  Sessions& sessions_;
  std::map<Locator, ObjectHandle> objects_;
};

}  // namespace hsm::token

#endif  // HSM_TOKEN_OBJECT_INDEX_H_
