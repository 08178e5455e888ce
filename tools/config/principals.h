// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CONFIG_PRINCIPALS_H_
#define TOOLS_CONFIG_PRINCIPALS_H_

#include <cstdint>
#include <string>

#include "base/result.h"
#include "tools/config/config.h"
#include "tools/config/table_reader.h"

// Between config.cc and principals.cc; nobody else includes this.
namespace tools::config {

// The last one; (uid_t)-1 is nobody's.
inline constexpr std::int64_t kLargestUid = 0xFFFFFFFE;

// The rows of [peer_principals] and of [certificate_principals].
base::Status ReadPeerPrincipals(TableReader& reader, Config& config);
base::Status ReadCertificatePrincipals(TableReader& reader, Config& config);

// Fails with kInvalidArgument if a uid is a principal and a service, too.
base::Status CheckPeerPrincipals(const std::string& file, const Config& config);

}  // namespace tools::config

#endif  // TOOLS_CONFIG_PRINCIPALS_H_
