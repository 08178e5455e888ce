// SPDX-License-Identifier: Apache-2.0
#include "tools/clavigerd/service_credentials.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "kms/identity/principals.h"
#include "tools/files/files.h"

namespace tools {
namespace {

using kms::Caller;

// AWS's secrets have 40 characters; a shorter one than this can be guessed from
// one signed request.
constexpr std::size_t kLeastSecret = 16;

constexpr std::string_view kTaken =
    "there is an access key of this id already; give the service one of its "
    "own";

base::Error Refused(const config::ServicePrincipal& principal,
                    std::string_view reason) {
  return {base::ErrorCode::kInvalidArgument,
          fmt::format("service principal {}, access key {}: {}",
                      principal.service, principal.access_key_id, reason)};
}

base::Result<kms::identity::AccessKey> ReadAccessKey(
    const config::Config& config, const config::ServicePrincipal& principal) {
  auto secret = ReadSecretFile(principal.secret_file);
  if (!secret) {
    return Refused(principal, secret.error().message);
  }
  if (secret->RevealText().size() < kLeastSecret) {
    return Refused(principal, fmt::format("{} holds fewer than {} characters",
                                          principal.secret_file, kLeastSecret));
  }
  kms::identity::AccessKey key;
  key.id = principal.access_key_id;
  key.secret = std::make_shared<const base::Secret>(*std::move(secret));
  Caller caller = kms::identity::Service(config.account, principal.service);
  caller.access_key_id = key.id;
  key.caller = std::make_shared<const Caller>(std::move(caller));
  return key;
}

}  // namespace

base::Result<std::vector<kms::identity::AccessKey>> ReadServiceCredentials(
    const config::Config& config) {
  std::vector<kms::identity::AccessKey> keys;
  for (const config::ServicePrincipal& principal : config.service_principals) {
    if (principal.access_key_id.empty()) {
      continue;
    }
    if (std::ranges::find(keys, principal.access_key_id,
                          &kms::identity::AccessKey::id) != keys.end()) {
      return Refused(principal, kTaken);
    }
    ASSIGN_OR_RETURN(auto key, ReadAccessKey(config, principal));
    keys.push_back(std::move(key));
  }
  return keys;
}

base::Status CheckServiceKeyIds(const config::Config& config,
                                const kms::identity::Directory& directory) {
  for (const config::ServicePrincipal& principal : config.service_principals) {
    if (directory.FindSecret(principal.access_key_id) != nullptr) {
      return Refused(principal, kTaken);
    }
  }
  return {};
}

}  // namespace tools
