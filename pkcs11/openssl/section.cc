// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/openssl/section.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "kms/client/environment.h"
#include "pkcs11/module/connection.h"

namespace pkcs11::openssl {
namespace {

using base::Error;
using base::ErrorCode;
using kms::client::KeyUri;
using module::TokenSettings;

constexpr int kMaxTimeoutSeconds = 130;

struct ParameterRow {
  const char* name;
  std::string Section::*member;
};
constexpr std::array kParameters = {
    ParameterRow{"ca_file", &Section::ca_file},
    ParameterRow{"config", &Section::config},
    ParameterRow{"endpoint", &Section::endpoint},
    ParameterRow{"profile", &Section::profile},
    ParameterRow{"region", &Section::region},
    ParameterRow{"token", &Section::token},
};

base::Status ReadReferenceOptions(const Core& core, Section& section) {
  if (const auto text = core.Parameter("reference_options")) {
    if (*text != "allow") {
      return Error{ErrorCode::kInvalidArgument,
                   "reference_options in the provider's section of openssl.cnf "
                   "can only be `allow`"};
    }
    section.follows_references = true;
  }
  return {};
}

// What the configuration file says about the token with that label or, without
// one, about the first.
base::Result<TokenSettings> TokenIn(const std::string& file,
                                    const std::string& label) {
  if (file.empty()) {
    if (!label.empty()) {
      return Error{
          ErrorCode::kInvalidArgument,
          "there is no configuration file that would have a token " + label};
    }
    return TokenSettings{};
  }
  ASSIGN_OR_RETURN(module::Settings settings,
                   module::ReadConfigurationFile(file));
  for (TokenSettings& token : settings.tokens) {
    if (label.empty() || token.label == label) {
      if (token.options.login == module::LoginMode::kPin) {
        return Error{ErrorCode::kInvalidArgument,
                     token.where +
                         ": a token with a login is for the PKCS#11 "
                         "module only"};
      }
      return std::move(token);
    }
  }
  return Error{
      ErrorCode::kInvalidArgument,
      file + ": no token " + (label.empty() ? std::string("at all") : label)};
}

// The text behind the third colon of an ARN; empty if it is none.
std::string RegionOfArn(std::string_view key) {
  constexpr std::string_view kArnPrefix = "arn:";
  if (!key.starts_with(kArnPrefix)) {
    return {};
  }
  for (int i = 0; i < 3; ++i) {
    key.remove_prefix(std::min(key.find(':'), key.size() - 1) + 1);
  }
  return std::string(key.substr(0, key.find(':')));
}

void Override(std::string& target, const std::string& value) {
  if (!value.empty()) {
    target = value;
  }
}

Error Untrusted(const std::string& option) {
  return {ErrorCode::kInvalidArgument,
          "the reference has an option " + option +
              ", with which whoever wrote it would decide where requests go "
              "and who signs them: put " +
              option +
              " into the provider's section of openssl.cnf or, if references "
              "are to be trusted like that file, `reference_options = allow`"};
}

// What is nearest to the key counts: the URI, the section, the file.
base::Result<TokenSettings> SettingsFor(
    const KeyUri& uri, const Section& section,
    const kms::client::Environment& environment) {
  std::string label = section.token;
  Override(label, uri.token);
  ASSIGN_OR_RETURN(
      TokenSettings settings,
      TokenIn(module::FindConfigurationFile(section.config, environment),
              label));
  Override(settings.endpoint, section.endpoint);
  Override(settings.endpoint, uri.endpoint);
  Override(settings.region, section.region);
  Override(settings.region, RegionOfArn(uri.key));
  Override(settings.region, uri.region);
  Override(settings.ca_file, section.ca_file);
  const std::string& profile =
      uri.profile.empty() ? section.profile : uri.profile;
  if (!profile.empty()) {
    settings.profile = profile;
    settings.credentials = module::CredentialSource::kProfile;
  }
  return settings;
}

}  // namespace

base::Result<Section> ReadSection(const Core& core) {
  Section section;
  for (const ParameterRow& row : kParameters) {
    section.*(row.member) = core.Parameter(row.name).value_or("");
  }
  RETURN_IF_ERROR(ReadReferenceOptions(core, section));
  if (const auto text = core.Parameter("timeout")) {
    int seconds = 0;
    const char* const end = text->data() + text->size();
    const auto [at, error] = std::from_chars(text->data(), end, seconds);
    if (error != std::errc() || at != end || seconds < 1 ||
        seconds > kMaxTimeoutSeconds) {
      return Error{ErrorCode::kInvalidArgument,
                   "timeout in the provider's section of openssl.cnf must be a "
                   "whole number of seconds from 1 to 130"};
    }
    section.timeout = std::chrono::seconds(seconds);
  }
  return section;
}

KeyUri PlaceOf(const KeyUri& uri) {
  KeyUri where = uri;
  where.key.clear();
  where.type.clear();
  if (where.region.empty()) {
    where.region = RegionOfArn(uri.key);
  }
  return where;
}

base::Result<kms::client::Options> OptionsFor(const KeyUri& uri,
                                              const Section& section) {
  const kms::client::Environment environment =
      kms::client::ProcessEnvironment();
  ASSIGN_OR_RETURN(const TokenSettings settings,
                   SettingsFor(uri, section, environment));
  ASSIGN_OR_RETURN(kms::client::Options options,
                   module::OptionsOf(settings, environment));
  options.timeout = section.timeout;
  options.connect_timeout = std::min<std::chrono::milliseconds>(
      options.connect_timeout, section.timeout);
  return options;
}

base::Status CheckReference(const KeyUri& uri, const Section& section) {
  if (section.follows_references) {
    return {};
  }
  if (!uri.profile.empty()) {
    return Untrusted("profile");
  }
  if (!uri.token.empty()) {
    return Untrusted("token");
  }
  if (uri.endpoint.empty()) {
    return {};
  }
  KeyUri plain = uri;
  plain.endpoint.clear();
  ASSIGN_OR_RETURN(const kms::client::Options options,
                   OptionsFor(plain, section));
  ASSIGN_OR_RETURN(const kms::client::Endpoint wanted,
                   kms::client::ParseEndpoint(uri.endpoint));
  if (Describe(wanted) != Describe(options.endpoint)) {
    return Untrusted("endpoint");
  }
  return {};
}

}  // namespace pkcs11::openssl
