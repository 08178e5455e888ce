// SPDX-License-Identifier: Apache-2.0
#include "tools/config/xks_proxy.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "base/region.h"

namespace tools::config {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

constexpr std::size_t kMostName = 64;
// A UriPath has at most 128 characters, of which "/kms/xks/v1" takes 11.
constexpr std::size_t kMostPrefix = 117;
constexpr std::string_view kWordLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

bool IsWord(std::string_view text, std::size_t most) {
  return !text.empty() && text.size() <= most &&
         text.find_first_not_of(kWordLetters) == std::string_view::npos;
}

// "" or "/a/b": what AWS lets stand before "/kms/xks/v1".
bool IsPrefix(std::string_view text) {
  if (text.empty()) {
    return true;
  }
  std::string letters(kWordLetters);
  letters.push_back('/');
  return text.front() == '/' && text.back() != '/' &&
         text.size() <= kMostPrefix &&
         text.find_first_not_of(letters) == std::string_view::npos &&
         text.find("//") == std::string_view::npos &&
         text.find("/kms/xks/") == std::string_view::npos;
}

bool IsAnyAddress(std::string_view host) {
  return host == "0.0.0.0" || host == "::";
}

// Whether one of two listeners at these addresses would not start.
bool Overlap(const ListenAddress& one, const ListenAddress& other) {
  return one.port == other.port &&
         (one.host == other.host || IsAnyAddress(one.host) ||
          IsAnyAddress(other.host));
}

}  // namespace

Status ReadXksProxy(TableReader& reader, Config& config) {
  XksProxy proxy;
  std::optional<ListenAddress> listen;
  reader.Address("listen", listen)
      .Address("ping_listen", proxy.ping_listen)
      .Text("certificate", proxy.certificate, true)
      .Text("private_key", proxy.private_key, true)
      .Text("client_ca", proxy.client_ca)
      .Texts("client_names", proxy.client_names);
  if (!listen) {
    reader.Refuse("certificate",
                  "is of no use without xks_proxy.listen, such as "
                  "\"0.0.0.0:443\"");
  } else if (proxy.client_ca.empty() != proxy.client_names.empty()) {
    reader.Refuse(proxy.client_ca.empty() ? "client_names" : "client_ca",
                  "needs xks_proxy.client_ca and xks_proxy.client_names "
                  "together: who may issue the certificates of clients, and "
                  "the common names that they may have");
  } else {
    proxy.listen = *listen;
  }
  if (listen && proxy.ping_listen && Overlap(*listen, *proxy.ping_listen)) {
    reader.Refuse("ping_listen",
                  "has the address of xks_proxy.listen: give it another port");
  }
  config.xks_proxy = std::move(proxy);
  return reader.Finish();
}

Status ReadXksTenant(TableReader& reader, Config& config) {
  XksTenant tenant;
  reader.Text("name", tenant.name, true)
      .Text("uri_prefix", tenant.uri_prefix)
      .Texts("regions", tenant.regions)
      .Text("policy", tenant.policy)
      .Integer("requests_per_second", tenant.requests_per_second, 1, 1'000'000);
  if (!IsWord(tenant.name, kMostName)) {
    reader.Refuse("name", "must be 1 to 64 of A-Z a-z 0-9 - _");
  } else if (!IsPrefix(tenant.uri_prefix)) {
    reader.Refuse("uri_prefix",
                  fmt::format("must be like \"/team-a\": '/' and A-Z a-z 0-9 - "
                              "_, of at most {} characters, without "
                              "\"/kms/xks/\"; leave the key out if there is to "
                              "be none",
                              kMostPrefix));
  } else if (!std::ranges::all_of(tenant.regions, base::IsRegionName)) {
    reader.Refuse("regions", "must be names of Regions, such as \"us-east-1\"");
  }
  if (!tenant.policy.empty()) {
    tenant.where.text = reader.Where("policy");
  }
  config.xks_tenants.push_back(std::move(tenant));
  return reader.Finish();
}

Status CheckXksProxy(const std::string& file, const Config& config) {
  const auto wrong = [&file](const std::string& reason) {
    return Error{ErrorCode::kInvalidArgument, file + ": " + reason};
  };
  std::set<std::string_view> names;
  std::set<std::string_view> prefixes;
  for (const XksTenant& tenant : config.xks_tenants) {
    if (!names.insert(tenant.name).second) {
      return wrong(fmt::format("two [[xks_tenant]] tables have the name {}",
                               tenant.name));
    }
    if (!prefixes.insert(tenant.uri_prefix).second) {
      return wrong(
          fmt::format("two [[xks_tenant]] tables have the uri_prefix "
                      "'{}'",
                      tenant.uri_prefix));
    }
  }
  if (config.xks_proxy && names.empty()) {
    return wrong("[xks_proxy] serves nobody: add an [[xks_tenant]]");
  }
  if (config.xks_proxy) {
    const ListenAddress& address = config.xks_proxy->listen;
    if (address.port == 0) {
      return wrong("xks_proxy.listen needs a port: AWS asks on 443");
    }
    for (const auto& other : {config.http, config.https}) {
      if (other && other->port == address.port) {
        return wrong(fmt::format(
            "xks_proxy.listen has the port {} of listen.http or listen.https: "
            "give it one of its own",
            address.port));
      }
    }
  }
  if (!config.xks_proxy && !names.empty()) {
    return wrong(
        "an [[xks_tenant]] needs [xks_proxy], which says where to "
        "listen");
  }
  return {};
}

}  // namespace tools::config
