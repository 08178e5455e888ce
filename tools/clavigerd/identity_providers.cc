// SPDX-License-Identifier: Apache-2.0
#include "tools/clavigerd/identity_providers.h"

#include <fmt/format.h>

#include <utility>

#include "tools/files/files.h"

namespace tools {
namespace {

// Providers publish a handful of keys, with their certificates perhaps.
constexpr std::size_t kMostKeySetBytes = 256U << 10;

base::Error Refused(const config::OidcProvider& provider,
                    std::string_view reason) {
  return {base::ErrorCode::kInvalidArgument,
          fmt::format("{}: oidc_provider.jwks_file: {}", provider.where.text,
                      reason)};
}

base::Result<kms::identity::IdentityProvider> Load(
    const config::OidcProvider& provider) {
  auto key_set = ReadPublicFile(provider.jwks_file, kMostKeySetBytes);
  if (!key_set) {
    return Refused(provider, key_set.error().message);
  }
  auto loaded =
      kms::identity::IdentityProvider::Parse({.issuer = provider.issuer,
                                              .audiences = provider.audiences,
                                              .accounts = provider.accounts,
                                              .key_set = *std::move(key_set)});
  if (!loaded) {
    return Refused(provider,
                   provider.jwks_file + ": " + loaded.error().message);
  }
  return loaded;
}

}  // namespace

base::Result<std::vector<kms::identity::IdentityProvider>>
LoadIdentityProviders(const config::Config& config) {
  std::vector<kms::identity::IdentityProvider> providers;
  for (const config::OidcProvider& provider : config.oidc_providers) {
    ASSIGN_OR_RETURN(auto loaded, Load(provider));
    providers.push_back(std::move(loaded));
  }
  return providers;
}

}  // namespace tools
