// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_GRANTS_H_
#define KMS_OPERATIONS_GRANTS_H_

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "kms/grant.h"
#include "kms/json_writer.h"
#include "kms/operations/call.h"

// What the operations on grants share. AWS KMS Developer Guide, "Grants in AWS
// KMS", and AWS KMS API Reference, CreateGrant.
namespace kms::operations {

inline constexpr std::uint64_t kMaxGrantsPerKey = 50'000;
inline constexpr std::size_t kMaxContextPairs = 8;
inline constexpr std::size_t kMaxContextValue = 384;  // Characters.

// The grant that CreateGrant asks for on `call.key`, with an id of its own, not
// yet bound to whom it names. The input has been checked.
Grant RequestedGrant(const Call& call);

// Member Constraints of CreateGrant.
GrantConstraints RequestedConstraints(const Call& call);

// Fails with kInvalidGrantId if member GrantId is there and cannot be an id.
base::Status CheckGrantId(const Call& call);

// Fails with kInvalidArn if member `name` is there and is not the ARN of a
// principal that a grant may name.
base::Status CheckPrincipal(const Call& call, std::string_view name);

// Fails with kValidation if both members are there, or, with `required`, none.
base::Status CheckOneOf(const Call& call, std::string_view first,
                        std::string_view second, bool required);

// kNotFound with the id in GrantId.
base::Error NoSuchGrant(const Call& call);

// The reply of both listings: Grants and the end of the page.
Reply GrantList(const Call& call, const store::Page<Grant>& page);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_GRANTS_H_
