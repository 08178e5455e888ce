// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/server.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/json.h"
#include "tests/bench/signed_request.h"

namespace bench {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kReady = "clavigerd ready http://127.0.0.1:";

base::Result<std::unique_ptr<kms::client::Client>> Connect(
    const std::string& port, const base::Clock& clock) {
  kms::client::Options options;
  ASSIGN_OR_RETURN(options.endpoint,
                   kms::client::ParseEndpoint("http://127.0.0.1:" + port));
  options.credentials = {
      kAccessKeyId, base::Secret::CopyOf(kSecretAccessKey), {}};
  options.region = kRegion;
  return kms::client::Client::Create(std::move(options), clock);
}

}  // namespace

Server::Server(Child process, std::uint16_t port, std::string socket,
               std::unique_ptr<base::RealClock> clock,
               std::unique_ptr<kms::client::Client> client)
    : process_(std::move(process)),
      port_(port),
      socket_(std::move(socket)),
      clock_(std::move(clock)),
      client_(std::move(client)) {}

base::Result<Server> Server::Start(const std::string& bin_dir,
                                   const std::string& folder,
                                   const std::vector<std::string>& options) {
  const std::string log = folder + "/clavigerd.log";
  const std::string access_key =
      std::string(kAccessKeyId) + ":" + kSecretAccessKey;
  std::vector<std::string> command = {
      bin_dir + "/clavigerd", "--dev",    "--dev-dir",
      folder + "/dev",        "--listen", "127.0.0.1:0",
      "--dev-access-key",     access_key};
  command.insert(command.end(), options.begin(), options.end());
  ASSIGN_OR_RETURN(Child process, Child::Run(command, log));
  const auto line = process.ReadLine();
  if (!line || !line->starts_with(kReady)) {
    return Error{ErrorCode::kIo, "clavigerd did not start; see " + log};
  }
  const std::string port = line->substr(
      kReady.size(), line->find(' ', kReady.size()) - kReady.size());
  auto clock = std::make_unique<base::RealClock>();
  ASSIGN_OR_RETURN(auto client, Connect(port, *clock));
  return Server(
      std::move(process), static_cast<std::uint16_t>(std::stoul(port)),
      folder + "/dev/clavigerd.sock", std::move(clock), std::move(client));
}

base::Result<std::string> Server::Ask(std::string_view operation,
                                      std::string_view request,
                                      std::string_view member) {
  ASSIGN_OR_RETURN(const auto response, client_->Call(operation, request));
  ASSIGN_OR_RETURN(const base::Json reply, base::ParseJson(response.body));
  const base::Json::json_pointer pointer(
      base::WipingString("/").append(member));
  if (!reply.contains(pointer)) {
    return Error{ErrorCode::kCorrupt, "a reply without " + std::string(member)};
  }
  return std::string(base::TextOf(reply.at(pointer)));
}

}  // namespace bench
