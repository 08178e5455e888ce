// SPDX-License-Identifier: Apache-2.0
#include "kms/client/environment.h"

#include <openssl/crypto.h>

#include <cstdlib>
#include <initializer_list>
#include <utility>

namespace kms::client {
namespace {

using base::Error;
using base::ErrorCode;

struct Variable {
  std::string_view name;
  std::string value;
};

std::optional<Variable> FirstSet(
    const Environment& environment,
    std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    std::optional<std::string> value = environment(name);
    if (value.has_value() && !value->empty()) {
      return Variable{name, *std::move(value)};
    }
  }
  return std::nullopt;
}

std::string ValueOr(const Environment& environment,
                    std::initializer_list<std::string_view> names,
                    std::string fallback) {
  std::optional<Variable> found = FirstSet(environment, names);
  return found.has_value() ? std::move(found->value) : std::move(fallback);
}

// A file of AWS's, "~/" being the home folder's; by default `name` in ~/.aws.
SharedFile FileFrom(const Environment& environment, std::string_view variable,
                    std::string_view name) {
  const std::string home = ValueOr(environment, {"HOME"}, "");
  std::optional<Variable> named = FirstSet(environment, {variable});
  if (!named.has_value()) {
    return {home.empty() ? "" : home + "/.aws/" + std::string(name), false};
  }
  if (named->value.starts_with("~/") && !home.empty()) {
    named->value.replace(0, 1, home);
  }
  return {std::move(named->value), true};
}

ProfileFiles FilesFrom(const Environment& environment,
                       std::string_view profile) {
  ProfileFiles files;
  files.credentials =
      FileFrom(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
  files.config = FileFrom(environment, "AWS_CONFIG_FILE", "config");
  std::string named(profile);
  if (named.empty()) {
    named = ValueOr(environment, {"AWS_DEFAULT_PROFILE", "AWS_PROFILE"}, "");
  }
  if (!named.empty()) {
    files.profile = std::move(named);
    files.required = true;
  }
  return files;
}

// A LazyProfile is a profile that is read when it is first asked for: files
// that nobody needs cannot be in anybody's way.
class LazyProfile {
 public:
  explicit LazyProfile(ProfileFiles files) : files_(std::move(files)) {}

  const ProfileFiles& files() const { return files_; }
  base::Result<const Profile*> Get() {
    if (!profile_.has_value()) {
      ASSIGN_OR_RETURN(profile_, Profile::Load(files_));
    }
    return &*profile_;
  }

 private:
  ProfileFiles files_;
  std::optional<Profile> profile_;
};

base::Result<Endpoint> ParseNamed(std::string_view name,
                                  std::string_view value) {
  base::Result<Endpoint> endpoint = ParseEndpoint(value);
  if (!endpoint.has_value()) {
    return Error{endpoint.error().code,
                 std::string(name) + ": " + endpoint.error().message};
  }
  return endpoint;
}

base::Result<Endpoint> EndpointFrom(const Environment& environment,
                                    LazyProfile& lazy) {
  const std::optional<Variable> found = FirstSet(
      environment,
      {"CLAVIGER_SOCKET", "CLAVIGER_ENDPOINT", "AWS_ENDPOINT_URL_KMS"});
  if (found.has_value()) {
    return ParseNamed(found->name, found->value);
  }
  if (!lazy.files().required) {
    return Endpoint{};
  }
  ASSIGN_OR_RETURN(const Profile* const profile, lazy.Get());
  ASSIGN_OR_RETURN(const auto url, profile->EndpointUrl());
  return url.has_value() ? ParseNamed(url->where, url->text)
                         : base::Result<Endpoint>(Endpoint{});
}

base::Result<std::optional<base::SigV4Credentials>> CredentialsFrom(
    const Environment& environment) {
  std::optional<Variable> id = FirstSet(environment, {"AWS_ACCESS_KEY_ID"});
  std::optional<Variable> secret =
      FirstSet(environment, {"AWS_SECRET_ACCESS_KEY"});
  if (id.has_value() != secret.has_value()) {
    return Error{ErrorCode::kInvalidArgument,
                 "set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
                 "neither"};
  }
  std::optional<base::SigV4Credentials> credentials;
  if (id.has_value()) {
    credentials.emplace(base::SigV4Credentials{
        std::move(id->value), base::Secret::CopyOf(secret->value),
        ValueOr(environment, {"AWS_SESSION_TOKEN"}, "")});
    OPENSSL_cleanse(secret->value.data(), secret->value.size());
  }
  return credentials;
}

// AWS's tools would ask it before the profile: it stands for somebody else.
base::Status CheckNoWebIdentity(const Environment& environment) {
  constexpr std::string_view kToken = "AWS_WEB_IDENTITY_TOKEN_FILE";
  if (FirstSet(environment, {kToken}).has_value() &&
      FirstSet(environment, {"AWS_ROLE_ARN"}).has_value()) {
    return Error{ErrorCode::kInvalidArgument,
                 std::string(kToken) +
                     " is not served here; set AWS_ACCESS_KEY_ID and "
                     "AWS_SECRET_ACCESS_KEY, or unset it to use a profile"};
  }
  return {};
}

// What the profile says where the environment says nothing. The profile's
// credentials may change while we run: `options` remembers where they are.
base::Status FillFromProfile(LazyProfile& lazy, bool own_key,
                             Options& options) {
  if (own_key) {
    ASSIGN_OR_RETURN(const Profile* const profile, lazy.Get());
    ASSIGN_OR_RETURN(auto key, profile->Credentials());
    options.credential_files = lazy.files();
    if (key.has_value()) {
      options.credentials = std::move(key->credentials);
      options.credential_files->key_file = key->file;
    }
  }
  if (options.region.empty()) {
    ASSIGN_OR_RETURN(const Profile* const profile, lazy.Get());
    ASSIGN_OR_RETURN(auto region, profile->Region());
    options.region = std::move(region).value_or(Profile::Value{}).text;
  }
  if (options.ca_file.empty() &&
      options.endpoint.transport == Transport::kHttps) {
    ASSIGN_OR_RETURN(const Profile* const profile, lazy.Get());
    ASSIGN_OR_RETURN(auto bundle, profile->CaBundle());
    options.ca_file = std::move(bundle).value_or(Profile::Value{}).text;
  }
  return {};
}

base::Result<Options> Fill(Endpoint endpoint, const Environment& environment,
                           bool profile_first, LazyProfile& lazy) {
  Options options;
  const std::string default_region = std::exchange(options.region, "");
  options.endpoint = std::move(endpoint);
  options.region =
      ValueOr(environment, {"AWS_REGION", "AWS_DEFAULT_REGION"}, "");
  options.ca_file =
      ValueOr(environment, {"CLAVIGER_CA_FILE", "AWS_CA_BUNDLE"}, "");
  if (options.endpoint.transport != Transport::kUnix) {
    if (!profile_first) {
      ASSIGN_OR_RETURN(options.credentials, CredentialsFrom(environment));
    }
    if (!profile_first && !options.credentials.has_value()) {
      RETURN_IF_ERROR(CheckNoWebIdentity(environment));
    }
    RETURN_IF_ERROR(
        FillFromProfile(lazy, !options.credentials.has_value(), options));
  }
  if (options.region.empty()) {
    options.region = default_region;
  }
  return options;
}

}  // namespace

Environment ProcessEnvironment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* const value = secure_getenv(std::string(name).c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

base::Result<Options> OptionsFromEnvironment(const Environment& environment,
                                             std::string_view profile) {
  LazyProfile lazy(FilesFrom(environment, profile));
  ASSIGN_OR_RETURN(Endpoint endpoint, EndpointFrom(environment, lazy));
  return Fill(std::move(endpoint), environment, !profile.empty(), lazy);
}

base::Result<Options> OptionsFor(Endpoint endpoint,
                                 const Environment& environment,
                                 std::string_view profile) {
  LazyProfile lazy(FilesFrom(environment, profile));
  return Fill(std::move(endpoint), environment, !profile.empty(), lazy);
}

}  // namespace kms::client
