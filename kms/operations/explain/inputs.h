// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_EXPLAIN_INPUTS_H_
#define KMS_OPERATIONS_EXPLAIN_INPUTS_H_

#include <array>

#include "kms/operations/shape.h"
#include "kms/operations/shapes.h"

// The inputs of our own operations that explain decisions.
namespace kms::operations::shapes {

inline constexpr Shape kEventId = {.min = 36, .max = 36};
inline constexpr Shape kAnyPrincipal = {.min = 1, .max = 2048};
inline constexpr Shape kPermission = {.min = 1, .max = 128};
inline constexpr Shape kConditions = {.type = Type::kConditions};
// Until the year 2100.
inline constexpr Shape kEpochSeconds = {
    .type = Type::kInteger, .min = 0, .max = 4102444800};

inline constexpr std::array kExplain = {Member{"EventId", &kEventId, true}};
inline constexpr std::array kSimulatePolicy = {
    Member{"PrincipalArn", &kAnyPrincipal, true},
    Member{"Action", &kPermission, true}, Member{"KeyId", &kKeyId},
    Member{"Context", &kConditions}};
inline constexpr std::array kWhoCan = {Member{"Action", &kPermission, true},
                                       Member{"KeyId", &kKeyId, true},
                                       Member{"Marker", &kMarker}};
inline constexpr std::array kReplayPolicy = {
    Member{"KeyId", &kKeyId, true}, Member{"NewPolicy", &kPolicy, true},
    Member{"Since", &kEpochSeconds, true}, Member{"Marker", &kMarker}};

}  // namespace kms::operations::shapes

#endif  // KMS_OPERATIONS_EXPLAIN_INPUTS_H_
