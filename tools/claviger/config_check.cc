// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <string>

#include "tools/claviger/verb.h"
#include "tools/clavigerd/identity_providers.h"
#include "tools/clavigerd/organization.h"
#include "tools/clavigerd/xks_front.h"
#include "tools/clavigerd/xks_tenants.h"
#include "tools/config/config.h"
#include "tools/files/files.h"

namespace tools::claviger {
namespace {

constexpr const char* kFile = "FILE";
constexpr auto kOptions = std::to_array<Option>({
    {kFile, "Configuration file (default: " CLAVIGER_CONFIG_FILE ")"},
});

// A file that the configuration names and that must be there.
base::Status CheckNamed(const std::string& file, const char* key,
                        const std::string& path) {
  if (path.empty() || Exists(path)) {
    return {};
  }
  return base::Error{base::ErrorCode::kInvalidArgument,
                     fmt::format("{}: {}: there is no {}", file, key, path)};
}

base::Result<int> RunConfigCheck(const Arguments& arguments) {
  const std::string file = arguments.Text(kFile).value_or(CLAVIGER_CONFIG_FILE);
  ASSIGN_OR_RETURN(const config::Config config, config::Load(file));
  RETURN_IF_ERROR(CheckNamed(file, "listen.certificate", config.certificate));
  RETURN_IF_ERROR(CheckNamed(file, "listen.private_key", config.private_key));
  for (const config::KeyStore& store : config.key_stores) {
    RETURN_IF_ERROR(CheckNamed(file, "key_store.module", store.module));
    for (const config::FurtherToken& token : store.further_tokens) {
      RETURN_IF_ERROR(
          CheckNamed(file, "key_store.further_token.module", token.module));
    }
  }
  for (const auto& principal : config.service_principals) {
    RETURN_IF_ERROR(CheckNamed(file, "service_principal.secret_file",
                               principal.secret_file));
  }
  RETURN_IF_ERROR(LoadIdentityProviders(config));
  RETURN_IF_ERROR(LoadOrganization(config));
  RETURN_IF_ERROR(LoadXksTenants(config));
  if (config.xks_proxy) {
    RETURN_IF_ERROR(LoadXksTls(*config.xks_proxy));
  }
  fmt::print("{}: ok\n", Printable(file));
  return kExitSuccess;
}

}  // namespace

Verb ConfigCheckVerb() {
  return {"config check", "Reads a configuration and says what is wrong in it",
          kOptions, RunConfigCheck};
}

}  // namespace tools::claviger
