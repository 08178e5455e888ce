// SPDX-License-Identifier: Apache-2.0
#include "tools/clavigerd/local_principals.h"

#include <fmt/format.h>

namespace tools {

using base::Error;
using base::ErrorCode;

base::Status CheckLocalUids(const config::Config& config, uid_t own_uid) {
  for (const config::ServicePrincipal& principal : config.service_principals) {
    if (principal.unix_uid == own_uid) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("service principal {}: unix_uid {} is the uid "
                               "of clavigerd itself, which is the "
                               "administrator; give the service a user of its "
                               "own",
                               principal.service, own_uid)};
    }
  }
  if (const auto row = config.peer_principals.find(own_uid);
      row != config.peer_principals.end()) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("[peer_principals]: {} is the uid of clavigerd "
                             "itself, which is the administrator; let what is "
                             "to be {} run as a user of its own",
                             own_uid, row->second)};
  }
  return {};
}

kms::http::LocalIdentity LocalIdentityOf(const config::Config& config,
                                         uid_t own_uid) {
  kms::http::LocalIdentity local = {.account = config.account,
                                    .default_region = config.region,
                                    .own_uid = own_uid};
  for (const config::ServicePrincipal& principal : config.service_principals) {
    if (principal.unix_uid) {
      local.principals.push_back({*principal.unix_uid, principal.service});
    }
  }
  for (const auto& [uid, arn] : config.peer_principals) {
    local.principals.push_back({uid, arn});
  }
  local.certificates = config.certificate_principals;
  return local;
}

}  // namespace tools
