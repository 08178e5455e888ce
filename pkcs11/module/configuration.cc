// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/configuration.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "pkcs11/client_kms.h"
#include "pkcs11/module/certificate_files.h"
#include "pkcs11/module/connection.h"
#include "pkcs11/module/log.h"
#include "pkcs11/module/login_kms.h"

namespace pkcs11::module {
namespace {

using kms::client::Environment;
using kms::client::Options;

// A key id that is well formed and no key's.
constexpr std::string_view kNobodysKey = "00000000-0000-0000-0000-000000000000";
constexpr std::size_t kSerialBytes = 8;  // 16 hexadecimal digits.

// The same for the same place and name, whatever process or machine asks.
std::string SerialOf(const Options& options, const std::string& label,
                     OSSL_LIB_CTX* library) {
  base::Hasher hasher(library);
  const base::Digest digest = hasher.Sha256(base::AsBytes(
      fmt::format("{}/{}/{}", kms::client::Describe(options.endpoint),
                  options.region, label)));
  return base::HexEncode(base::ByteView(digest).first(kSerialBytes));
}

base::Result<std::unique_ptr<Kms>> MakeKms(const TokenSettings& settings,
                                           Options options,
                                           const base::Clock& clock) {
  if (settings.options.login == LoginMode::kNone) {
    ASSIGN_OR_RETURN(std::unique_ptr<Kms> kms,
                     ClientKms::Create(std::move(options), clock));
    return kms;
  }
  if (options.endpoint.transport == kms::client::Transport::kUnix) {
    return base::Error{base::ErrorCode::kInvalidArgument,
                       "login = \"pin\" needs an endpoint over TCP: on a "
                       "socket the server asks the kernel who the caller is"};
  }
  const std::vector<std::string>& keys = settings.options.filter.key_ids;
  return std::unique_ptr<Kms>(std::make_unique<LoginKms>(
      LoginPlace{std::move(options.endpoint), std::move(options.region),
                 std::move(options.ca_file),
                 keys.empty() ? std::string(kNobodysKey) : keys.front()},
      clock));
}

base::Result<std::unique_ptr<Token>> MakeToken(const TokenSettings& settings,
                                               const Environment& environment,
                                               const Parts& parts) {
  ASSIGN_OR_RETURN(Options options, OptionsOf(settings, environment));
  TokenLabel label = {settings.label,
                      SerialOf(options, settings.label, parts.library.get())};
  TokenOptions token = settings.options;
  token.backend = settings.backend.value_or(BackendAt(options.endpoint));
  ASSIGN_OR_RETURN(
      std::vector<CertificatePtr> certificates,
      ReadAllCertificates(token.certificates, parts.library.get()));
  ASSIGN_OR_RETURN(std::unique_ptr<Kms> kms,
                   MakeKms(settings, std::move(options), *parts.clock));
  return std::make_unique<Token>(std::move(label), std::move(kms),
                                 parts.library.get(), *parts.clock,
                                 std::move(token), std::move(certificates));
}

// All of them, or none: half a configuration is one that nobody wrote.
base::Result<std::vector<std::unique_ptr<Token>>> MakeTokens(
    const std::vector<TokenSettings>& settings, const Environment& environment,
    const Parts& parts) {
  std::vector<std::unique_ptr<Token>> tokens;
  for (const TokenSettings& each : settings) {
    base::Result<std::unique_ptr<Token>> token =
        MakeToken(each, environment, parts);
    if (!token.has_value()) {
      return base::Error{token.error().code,
                         (each.where.empty() ? "" : each.where + ": ") +
                             token.error().message};
    }
    tokens.push_back(*std::move(token));
  }
  return tokens;
}

base::Result<Settings> SettingsIn(const std::string& file) {
  if (!file.empty()) {
    return ReadConfigurationFile(file);
  }
  Settings settings;
  settings.tokens.emplace_back();  // Where the environment says.
  return settings;
}

base::Status Apply(const std::string& file, const Environment& environment,
                   Parts& parts) {
  ASSIGN_OR_RETURN(const Settings settings, SettingsIn(file));
  SetLog(settings.log);
  parts.fork = settings.fork;
  ASSIGN_OR_RETURN(parts.tokens,
                   MakeTokens(settings.tokens, environment, parts));
  return {};
}

}  // namespace

// AWS's endpoints in all partitions, with IPv6 (api.aws) and without.
Backend BackendAt(const kms::client::Endpoint& endpoint) {
  constexpr std::array<std::string_view, 3> kDomains = {
      ".amazonaws.com", ".amazonaws.com.cn", ".api.aws"};
  std::string host = endpoint.host;
  std::ranges::transform(host, host.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (host.ends_with('.')) {
    host.pop_back();
  }
  const bool is_aws =
      endpoint.transport != kms::client::Transport::kUnix &&
      std::ranges::any_of(kDomains, [&](std::string_view domain) {
        return host.ends_with(domain);
      });
  return is_aws ? Backend::kAws : Backend::kClaviger;
}

Answer<Parts> Configure(const std::string& config_file) {
  ASSIGN_OR_FAIL(kms::client::LibraryContext library,
                 kms::client::LibraryContext::Create());
  Parts parts = {std::make_unique<base::RealClock>(), std::move(library), {}};
  const Environment environment = kms::client::ProcessEnvironment();
  const base::Status applied = Apply(
      FindConfigurationFile(config_file, environment), environment, parts);
  if (!applied.has_value()) {
    LogEverywhere("no tokens: " + applied.error().message);
  }
  return parts;
}

}  // namespace pkcs11::module
