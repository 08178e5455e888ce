// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_STORE_GRANTS_H_
#define KMS_STORE_GRANTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kms/grant.h"
#include "kms/store/connection.h"
#include "kms/store/store.h"

// The rows of the table of grants, like reads.h.
namespace kms::store {

inline constexpr std::string_view kNoGrant =
    "the store has no grant with this id";

base::Result<Grant> ReadGrant(Connection& connection, std::string_view id);
base::Result<Page<Grant>> ReadGrantPage(Connection& connection,
                                        const GrantQuery& query);
base::Result<std::uint64_t> ReadGrantCount(Connection& connection,
                                           std::string_view row_id);
base::Result<std::optional<std::string>> ReadSameGrant(Connection& connection,
                                                       const Grant& grant);
base::Status WriteGrant(Connection& connection, const Grant& grant);

}  // namespace kms::store

#endif  // KMS_STORE_GRANTS_H_
