// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGERD_LOCAL_PRINCIPALS_H_
#define TOOLS_CLAVIGERD_LOCAL_PRINCIPALS_H_

#include <sys/types.h>

#include "base/result.h"
#include "kms/http/authenticator.h"
#include "tools/config/config.h"

namespace tools {

// Fails with kInvalidArgument, naming it, if a service principal or a row of
// [peer_principals] has the uid of this process, which is the administrator's
// on the Unix socket.
base::Status CheckLocalUids(const config::Config& config, uid_t own_uid);

// Whom callers without a signature stand for.
kms::http::LocalIdentity LocalIdentityOf(const config::Config& config,
                                         uid_t own_uid);

}  // namespace tools

#endif  // TOOLS_CLAVIGERD_LOCAL_PRINCIPALS_H_
