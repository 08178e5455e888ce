// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_CLIENT_REACH_H_
#define HSM_CLIENT_REACH_H_

#include <tuple>

#include "hsm/codec.h"
#include "hsm/messages.h"
#include "hsm/operations.h"

// Which tokens of a key store can execute a request.
namespace hsm::client {
namespace internal {

template <typename Field>
bool IsOnEveryToken(const Field& /*field*/) {
  return true;
}
inline bool IsOnEveryToken(const KeyRef& key) { return key.wrapped != nullptr; }

}  // namespace internal

// Whether any token can that has the wrapping keys; otherwise only the home
// token: that of the objects.
template <typename Request>
bool CanRunAnywhere(const Request& request) {
  return RowFor(request).scope == Scope::kShared &&
         std::apply(
             [](const auto&... field) {
               return (internal::IsOnEveryToken(field) && ...);
             },
             Fields(request));
}

// Its key is not wrapped yet: that is what it asks for.
inline bool CanRunAnywhere(const GenerateWrappedKeyRequest& /*request*/) {
  return true;
}

}  // namespace hsm::client

#endif  // HSM_CLIENT_REACH_H_
