// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/connection.h"

#include <unistd.h>

#include <functional>
#include <map>
#include <utility>

namespace pkcs11::module {
namespace {

using kms::client::Environment;
using kms::client::Options;

constexpr const char* kSystemFile = "/etc/claviger/pkcs11.toml";

using Variables = std::map<std::string, std::string, std::less<>>;

// What the environment says, but for some variables.
Environment Instead(const Environment& environment, Variables values) {
  return [environment, values = std::move(values)](
             std::string_view name) -> std::optional<std::string> {
    const auto found = values.find(name);
    return found == values.end() ? environment(name) : found->second;
  };
}

// What to tell the client, so that credentials come from where the settings
// say.
struct Origin {
  Variables instead;    // Of the environment's.
  std::string profile;  // Empty: the usual, after the environment.
};

Origin OriginOf(const TokenSettings& settings, const Environment& environment) {
  constexpr const char* kNothing = "/dev/null";
  constexpr const char* kCredentials = "AWS_SHARED_CREDENTIALS_FILE";
  constexpr const char* kConfig = "AWS_CONFIG_FILE";
  Origin origin = {{}, settings.profile};
  switch (settings.credentials) {
    case CredentialSource::kUsual:
      break;
    case CredentialSource::kProfile:
      if (origin.profile.empty()) {
        origin.profile = environment("AWS_PROFILE").value_or("default");
      }
      break;
    case CredentialSource::kFile:
      origin.instead = {{kCredentials, settings.credentials_file},
                        {kConfig, kNothing}};
      if (origin.profile.empty()) {
        origin.profile = "default";
      }
      break;
    case CredentialSource::kEnvironment:
      origin.instead = {
          {kCredentials, kNothing}, {kConfig, kNothing}, {"AWS_PROFILE", ""}};
      break;
    case CredentialSource::kPin:
      origin.instead = {{kCredentials, kNothing},
                        {"AWS_ACCESS_KEY_ID", ""},
                        {"AWS_SECRET_ACCESS_KEY", ""}};
      break;
  }
  return origin;
}

}  // namespace

base::Result<Options> OptionsOf(const TokenSettings& settings,
                                const Environment& environment) {
  Origin origin = OriginOf(settings, environment);
  const Environment variables = Instead(environment, std::move(origin.instead));
  const std::string& profile = origin.profile;
  Options options;
  if (settings.endpoint.empty()) {
    ASSIGN_OR_RETURN(options,
                     kms::client::OptionsFromEnvironment(variables, profile));
  } else {
    ASSIGN_OR_RETURN(kms::client::Endpoint endpoint,
                     kms::client::ParseEndpoint(settings.endpoint));
    ASSIGN_OR_RETURN(options, kms::client::OptionsFor(std::move(endpoint),
                                                      variables, profile));
  }
  if (!settings.region.empty()) {
    options.region = settings.region;
  }
  if (!settings.ca_file.empty()) {
    options.ca_file = settings.ca_file;
  }
  return options;
}

std::string FindConfigurationFile(const std::string& told,
                                  const Environment& environment) {
  if (!told.empty()) {
    return told;
  }
  if (const auto named = environment("CLAVIGER_PKCS11_CONFIG");
      named.has_value() && !named->empty()) {
    return *named;
  }
  std::string folder = environment("XDG_CONFIG_HOME").value_or("");
  if (folder.empty()) {
    const std::string home = environment("HOME").value_or("");
    folder = home.empty() ? "" : home + "/.config";
  }
  std::string users = folder + "/claviger/pkcs11.toml";
  // Whether it can be read is for the reader to say.
  if (!folder.empty() && access(users.c_str(), F_OK) == 0) {
    return users;
  }
  return access(kSystemFile, F_OK) == 0 ? kSystemFile : "";
}

}  // namespace pkcs11::module
