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

template <typename Field, typename IsShared>
bool IsOnEveryToken(const Field& /*field*/, const IsShared& /*is_shared*/) {
  return true;
}
template <typename IsShared>
bool IsOnEveryToken(const KeyRef& key, const IsShared& is_shared) {
  return key.wrapped != nullptr && is_shared(key.wrapped->wrapping_key);
}

}  // namespace internal

// Whether any token can; otherwise only the home token, that of the objects.
// `is_shared` says of the locator of a wrapping key whether every token that
// serves has it.
template <typename Request, typename IsShared>
bool CanRunAnywhere(const Request& request, const IsShared& is_shared) {
  return RowFor(request).scope == Scope::kShared &&
         std::apply(
             [&](const auto&... field) {
               return (internal::IsOnEveryToken(field, is_shared) && ...);
             },
             Fields(request));
}

// Its key is not wrapped yet: that is what it asks for.
template <typename IsShared>
bool CanRunAnywhere(const GenerateWrappedKeyRequest& request,
                    const IsShared& is_shared) {
  return is_shared(request.wrapping_key);
}

}  // namespace hsm::client

#endif  // HSM_CLIENT_REACH_H_
