// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/configuration.h"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "pkcs11/module/client_kms.h"
#include "pkcs11/module/log.h"

namespace pkcs11::module {
namespace {

using kms::client::Environment;
using kms::client::Options;

constexpr const char* kSystemFile = "/etc/claviger/pkcs11.toml";
constexpr std::size_t kSerialBytes = 8;  // 16 hexadecimal digits.

base::Result<Options> OptionsOf(const TokenSettings& settings,
                                const Environment& environment) {
  Options options;
  if (settings.endpoint.empty()) {
    ASSIGN_OR_RETURN(options, kms::client::OptionsFromEnvironment(environment));
  } else {
    ASSIGN_OR_RETURN(kms::client::Endpoint endpoint,
                     kms::client::ParseEndpoint(settings.endpoint));
    ASSIGN_OR_RETURN(options,
                     kms::client::OptionsFor(std::move(endpoint), environment));
  }
  if (!settings.region.empty()) {
    options.region = settings.region;
  }
  if (!settings.ca_file.empty()) {
    options.ca_file = settings.ca_file;
  }
  return options;
}

// The same for the same place and name, whatever process or machine asks.
std::string SerialOf(const Options& options, const std::string& label,
                     OSSL_LIB_CTX* library) {
  base::Hasher hasher(library);
  const base::Digest digest = hasher.Sha256(base::AsBytes(
      fmt::format("{}/{}/{}", kms::client::Describe(options.endpoint),
                  options.region, label)));
  return base::HexEncode(base::ByteView(digest).first(kSerialBytes));
}

base::Result<std::unique_ptr<Token>> MakeToken(const TokenSettings& settings,
                                               const Environment& environment,
                                               const Parts& parts) {
  ASSIGN_OR_RETURN(Options options, OptionsOf(settings, environment));
  TokenLabel label = {settings.label,
                      SerialOf(options, settings.label, parts.library.get())};
  ASSIGN_OR_RETURN(std::unique_ptr<Kms> kms,
                   ClientKms::Create(std::move(options), *parts.clock));
  return std::make_unique<Token>(std::move(label), std::move(kms),
                                 parts.library.get(), *parts.clock);
}

base::Result<std::vector<std::unique_ptr<Token>>> MakeTokens(
    const std::string& file, const Environment& environment,
    const Parts& parts) {
  std::vector<TokenSettings> settings(1);
  if (!file.empty()) {
    ASSIGN_OR_RETURN(settings, ReadConfigurationFile(file));
  }
  std::vector<std::unique_ptr<Token>> tokens;
  for (const TokenSettings& each : settings) {
    ASSIGN_OR_RETURN(tokens.emplace_back(),
                     MakeToken(each, environment, parts));
  }
  return tokens;
}

}  // namespace

std::string FindConfigurationFile(const std::string& told,
                                  const Environment& environment) {
  if (!told.empty()) {
    return told;
  }
  if (const auto named = environment("CLAVIGER_PKCS11_CONFIG")) {
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

Answer<Parts> Configure(const std::string& config_file) {
  ASSIGN_OR_FAIL(kms::client::LibraryContext library,
                 kms::client::LibraryContext::Create());
  Parts parts = {std::make_unique<base::RealClock>(), std::move(library), {}};
  const Environment environment = kms::client::ProcessEnvironment();
  base::Result<std::vector<std::unique_ptr<Token>>> tokens = MakeTokens(
      FindConfigurationFile(config_file, environment), environment, parts);
  if (tokens.has_value()) {
    parts.tokens = *std::move(tokens);
  } else {
    LogLine("no tokens: " + tokens.error().message);
  }
  return parts;
}

}  // namespace pkcs11::module
