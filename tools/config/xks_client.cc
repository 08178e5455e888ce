// SPDX-License-Identifier: Apache-2.0
#include "tools/config/xks_client.h"

#include <chrono>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tools::config {
namespace {

// Shorter than clavigerd's patience with a worker, which is 10 s.
constexpr std::int64_t kLongestTimeoutMs = 8'000;
constexpr std::int64_t kMostPerSecond = 1'000'000;
constexpr std::string_view kServicePrefix = "com.amazonaws.vpce.";

// What `parse` makes of each of `texts`; the first that it refuses is refused.
template <typename Parsed>
void ParseEach(TableReader& reader, const char* key,
               const std::vector<std::string>& texts,
               base::Result<Parsed> (*parse)(std::string_view),
               std::vector<Parsed>& out) {
  out.reserve(texts.size());
  for (const std::string& text : texts) {
    base::Result<Parsed> parsed = parse(text);
    if (!parsed) {
      reader.Refuse(key, parsed.error().message);
      return;
    }
    out.push_back(*std::move(parsed));
  }
}

}  // namespace

base::Status ReadXksClient(TableReader& reader, Config& config) {
  XksClient client;
  hsm::xks::Settings& settings = client.settings;
  std::int64_t timeout_ms = settings.timeout.count();
  std::vector<std::string> networks;
  std::vector<std::string> connect_to;
  reader.Text("socket", client.socket)
      .Integer("workers", client.workers, 1, 16)
      .Integer("timeout_milliseconds", timeout_ms, 10, kLongestTimeoutMs)
      .Text("ca_file", settings.ca_file)
      .Text("client_certificate", settings.client_certificate)
      .Text("client_key", settings.client_key)
      .Texts("allow_networks", networks)
      .Texts("connect_to", connect_to)
      .Texts("vpc_endpoint_services", client.vpc_endpoint_services)
      .Integer("requests_per_second", settings.requests_per_second, 1,
               kMostPerSecond);
  RETURN_IF_ERROR(reader.Finish());
  settings.timeout = std::chrono::milliseconds(timeout_ms);
  ParseEach(reader, "allow_networks", networks, hsm::xks::ParseNetwork,
            settings.allow_networks);
  ParseEach(reader, "connect_to", connect_to, hsm::xks::ParseConnectTo,
            settings.connect_to);
  for (const std::string& service : client.vpc_endpoint_services) {
    if (!service.starts_with(kServicePrefix)) {
      reader.Refuse("vpc_endpoint_services",
                    service +
                        " is no name of a VPC endpoint service, such as "
                        "com.amazonaws.vpce.eu-west-1.vpce-svc-0123");
    }
  }
  std::set<std::string> hosts;
  for (const hsm::xks::ConnectTo& to : settings.connect_to) {
    if (!hosts.insert(to.host).second) {
      reader.Refuse("connect_to", to.host + " stands there twice");
    }
  }
  if (settings.client_certificate.empty() != settings.client_key.empty()) {
    reader.Refuse(
        settings.client_key.empty() ? "client_certificate" : "client_key",
        "needs the other: client_certificate and client_key");
  }
  config.xks_client = std::move(client);
  return reader.Finish();
}

}  // namespace tools::config
