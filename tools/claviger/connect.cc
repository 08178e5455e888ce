// SPDX-License-Identifier: Apache-2.0
#include "tools/claviger/connect.h"

#include <utility>

#include "kms/client/environment.h"

namespace tools::claviger {
namespace {

namespace client = kms::client;

base::Result<client::Options> OptionsFrom(const Arguments& arguments) {
  const client::Environment environment = client::ProcessEnvironment();
  const std::optional<std::string> endpoint = arguments.Text(kEndpointOption);
  if (!endpoint.has_value()) {
    return client::OptionsFromEnvironment(environment);
  }
  ASSIGN_OR_RETURN(client::Endpoint parsed, client::ParseEndpoint(*endpoint));
  return client::OptionsFor(std::move(parsed), environment);
}

}  // namespace

base::Result<std::unique_ptr<client::Client>> MakeClient(
    const Arguments& arguments) {
  static const base::RealClock clock;
  ASSIGN_OR_RETURN(client::Options options, OptionsFrom(arguments));
  options.region = arguments.Text(kRegionOption).value_or(options.region);
  options.ca_file = arguments.Text(kCaFileOption).value_or(options.ca_file);
  return client::Client::Create(std::move(options), clock);
}

}  // namespace tools::claviger
