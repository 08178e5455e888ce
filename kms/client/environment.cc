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

base::Result<Endpoint> EndpointFrom(const Environment& environment) {
  const std::optional<Variable> found = FirstSet(
      environment,
      {"CLAVIGER_SOCKET", "CLAVIGER_ENDPOINT", "AWS_ENDPOINT_URL_KMS"});
  if (!found.has_value()) {
    return Endpoint{};
  }
  base::Result<Endpoint> endpoint = ParseEndpoint(found->value);
  if (!endpoint.has_value()) {
    return Error{endpoint.error().code,
                 std::string(found->name) + ": " + endpoint.error().message};
  }
  return endpoint;
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

}  // namespace

Environment ProcessEnvironment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* const value = std::getenv(std::string(name).c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

base::Result<Options> OptionsFromEnvironment(const Environment& environment) {
  ASSIGN_OR_RETURN(Endpoint endpoint, EndpointFrom(environment));
  return OptionsFor(std::move(endpoint), environment);
}

base::Result<Options> OptionsFor(Endpoint endpoint,
                                 const Environment& environment) {
  Options options;
  options.endpoint = std::move(endpoint);
  options.region = ValueOr(environment, {"AWS_REGION", "AWS_DEFAULT_REGION"},
                           std::move(options.region));
  options.ca_file =
      ValueOr(environment, {"CLAVIGER_CA_FILE", "AWS_CA_BUNDLE"}, "");
  if (options.endpoint.transport != Transport::kUnix) {
    ASSIGN_OR_RETURN(options.credentials, CredentialsFrom(environment));
  }
  return options;
}

}  // namespace kms::client
