// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_AUTHORIZER_H_
#define KMS_AUTHORIZER_H_

#include "kms/caller.h"
#include "policy/request.h"

namespace kms {

// An Authorizer says whether a caller may do something. It denies by default.
// Safe to call from any thread; must not block.
class Authorizer {
 public:
  virtual ~Authorizer() = default;
  virtual policy::Decision Authorize(const Caller& caller,
                                     const policy::Request& request) const = 0;
};

// Allows the root and the bootstrap administrator of an account everything in
// that account, and everyone else nothing.
class AdministratorsOnly final : public Authorizer {
 public:
  policy::Decision Authorize(const Caller& caller,
                             const policy::Request& request) const override;
};

}  // namespace kms

#endif  // KMS_AUTHORIZER_H_
