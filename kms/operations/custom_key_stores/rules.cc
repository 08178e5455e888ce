// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/custom_key_stores/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "kms/operations/custom_key_stores/handlers.h"
#include "kms/operations/custom_key_stores/source.h"

namespace kms::operations {
namespace {

using base::Error;
using base::ErrorCode;

// What a type of store does with a member.
enum class Need : std::uint8_t { kRequired, kOptional, kRefused };

struct MemberRule {
  std::string_view name;
  Need external;
  Need cloud_hsm;
  bool moves_proxy = false;  // Is about where the proxy is.
};

constexpr std::string_view kCredential = "XksProxyAuthenticationCredential";
constexpr std::string_view kPassword = "KeyStorePassword";

constexpr std::array kRules = {
    MemberRule{"CloudHsmClusterId", Need::kRefused, Need::kRequired},
    MemberRule{kPassword, Need::kRefused, Need::kRequired},
    MemberRule{"TrustAnchorCertificate", Need::kRefused, Need::kRequired},
    MemberRule{kCredential, Need::kRequired, Need::kRefused},
    MemberRule{"XksProxyConnectivity", Need::kRequired, Need::kRefused, true},
    MemberRule{"XksProxyUriEndpoint", Need::kRequired, Need::kRefused, true},
    MemberRule{"XksProxyUriPath", Need::kRequired, Need::kRefused},
    MemberRule{"XksProxyVpcEndpointServiceName", Need::kOptional,
               Need::kRefused, true},
    MemberRule{"XksProxyVpcEndpointServiceOwner", Need::kOptional,
               Need::kRefused, true},
};

Need NeedOf(const MemberRule& rule, CustomKeyStoreType type) {
  return type == CustomKeyStoreType::kExternalKeyStore ? rule.external
                                                       : rule.cloud_hsm;
}

Error NotOfType(std::string_view member, CustomKeyStoreType type) {
  return {ErrorCode::kValidation,
          fmt::format("You cannot specify {} with a custom key store of type "
                      "{}.",
                      member, CustomKeyStoreTypeName(type))};
}

// Whether the request has a member of whose rule `is_asked_for` holds.
template <typename Predicate>
bool HasAny(const Call& call, Predicate is_asked_for) {
  return std::ranges::any_of(kRules, [&](const MemberRule& rule) {
    return std::invoke(is_asked_for, rule) && call.Find(rule.name) != nullptr;
  });
}

bool IsBeside(const CustomKeyStore& store, const CustomKeyStore& other) {
  return other.id != store.id && other.account == store.account &&
         other.region == store.region;
}

void Take(const Call& call, std::string_view member, std::string& field) {
  if (const auto text = call.Text(member)) {
    field = *text;
  }
}

}  // namespace

base::Status ValidateCreateCustomKeyStore(const Call& call) {
  const CustomKeyStoreType type = TypeOf(call);
  RETURN_IF_ERROR(CheckMembersOfType(call, type));
  for (const MemberRule& rule : kRules) {
    if (NeedOf(rule, type) == Need::kRequired &&
        call.Find(rule.name) == nullptr) {
      return Error{ErrorCode::kValidation,
                   fmt::format("You must specify {} with a custom key store of "
                               "type {}.",
                               rule.name, CustomKeyStoreTypeName(type))};
    }
  }
  return CheckServiceMembers(call, WithMembersOf(call, CustomKeyStore()));
}

base::Status ValidateUpdateCustomKeyStore(const Call& call) {
  if (call.Find("NewCustomKeyStoreName") == nullptr && !ChangesProxy(call) &&
      !ChangesCluster(call)) {
    return Error{ErrorCode::kValidation,
                 "You must specify at least one property to change."};
  }
  return {};
}

Error NoSuchCustomKeyStore(std::string_view id) {
  return {ErrorCode::kCustomKeyStoreNotFound,
          fmt::format("Custom key store {} does not exist.", id)};
}

base::Status RequireStoreState(const CustomKeyStore& store,
                               std::initializer_list<ConnectionState> allowed) {
  if (std::ranges::find(allowed, store.state) != allowed.end()) {
    return {};
  }
  std::string names;
  for (const ConnectionState state : allowed) {
    names.append(names.empty() ? "" : " or ")
        .append(ConnectionStateName(state));
  }
  return Error{ErrorCode::kCustomKeyStoreInvalidState,
               fmt::format("Custom key store {} is {}; for this operation it "
                           "must be {}.",
                           store.id, ConnectionStateName(store.state), names)};
}

CustomKeyStoreType TypeOf(const Call& call) {
  return ParseCustomKeyStoreType(call.Text("CustomKeyStoreType").value_or(""))
      .value_or(CustomKeyStoreType::kAwsCloudHsm);
}

base::Status CheckMembersOfType(const Call& call, CustomKeyStoreType type) {
  for (const MemberRule& rule : kRules) {
    if (NeedOf(rule, type) == Need::kRefused &&
        call.Find(rule.name) != nullptr) {
      return NotOfType(rule.name, type);
    }
  }
  return {};
}

bool MovesProxy(const Call& call) {
  return HasAny(call, &MemberRule::moves_proxy);
}

bool ChangesProxy(const Call& call) {
  return HasAny(call, [](const MemberRule& rule) {
    return rule.external != Need::kRefused;
  });
}

bool ChangesCluster(const Call& call) {
  return HasAny(call, [](const MemberRule& rule) {
    return rule.cloud_hsm != Need::kRefused;
  });
}

CustomKeyStore WithMembersOf(const Call& call, CustomKeyStore store) {
  Take(call, "CustomKeyStoreName", store.name);
  Take(call, "NewCustomKeyStoreName", store.name);
  const std::string cluster_before = store.cloud_hsm_cluster_id;
  Take(call, "CloudHsmClusterId", store.cloud_hsm_cluster_id);
  if (store.cloud_hsm_cluster_id != cluster_before) {
    store.key_store.clear();
  }
  Take(call, "TrustAnchorCertificate", store.trust_anchor_certificate);
  XksProxyConfiguration& proxy = store.proxy;
  Take(call, "XksProxyUriEndpoint", proxy.uri_endpoint);
  Take(call, "XksProxyUriPath", proxy.uri_path);
  if (const auto text = call.Text("XksProxyConnectivity")) {
    proxy.connectivity = ParseXksConnectivity(*text).value_or(
        XksConnectivity::kVpcEndpointService);
    proxy.vpc_endpoint_service_name.clear();
    proxy.vpc_endpoint_service_owner.clear();
  }
  Take(call, "XksProxyVpcEndpointServiceName", proxy.vpc_endpoint_service_name);
  Take(call, "XksProxyVpcEndpointServiceOwner",
       proxy.vpc_endpoint_service_owner);
  if (const base::Json* const credential = call.Find(kCredential)) {
    proxy.access_key_id = base::TextOf(credential->at("AccessKeyId"));
  }
  if (HasSecret(call)) {
    proxy.credential_set = call.now;
  }
  return store;
}

bool HasSecret(const Call& call) {
  return call.Find(kCredential) != nullptr || call.Find(kPassword) != nullptr;
}

base::Secret SecretIn(const Call& call) {
  const base::Json* const credential = call.Find(kCredential);
  return base::Secret::CopyOf(
      credential == nullptr
          ? *call.Text(kPassword)
          : base::TextOf(credential->at("RawSecretAccessKey")));
}

namespace {

// Names of hosts have no case (RFC 4343).
bool IsSameHost(std::string_view one, std::string_view other) {
  return std::ranges::equal(one, other, [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  });
}

// AWS's rules for ways to a proxy: one way to a host, and one store to a
// service.
base::Status CheckWayFits(const CustomKeyStore& store,
                          const CustomKeyStore& other) {
  const XksProxyConfiguration& proxy = store.proxy;
  if (other.type != CustomKeyStoreType::kExternalKeyStore) {
    return {};
  }
  if (IsSameHost(other.proxy.uri_endpoint, proxy.uri_endpoint) &&
      other.proxy.connectivity != proxy.connectivity) {
    return Error{
        ErrorCode::kXksProxyUriEndpointInUse,
        fmt::format("Custom key store {} has this "
                    "XksProxyUriEndpoint with XksProxyConnectivity "
                    "{}.",
                    other.id, XksConnectivityName(other.proxy.connectivity))};
  }
  if (!proxy.vpc_endpoint_service_name.empty() &&
      other.proxy.vpc_endpoint_service_name ==
          proxy.vpc_endpoint_service_name) {
    return Error{ErrorCode::kXksProxyVpcServiceInUse,
                 fmt::format("Custom key store {} has this "
                             "XksProxyVpcEndpointServiceName already.",
                             other.id)};
  }
  return {};
}

}  // namespace

base::Status CheckFits(const CustomKeyStore& store,
                       std::span<const CustomKeyStore> stores) {
  for (const CustomKeyStore& other : stores) {
    if (!IsBeside(store, other)) {
      continue;
    }
    if (other.name == store.name) {
      return Error{
          ErrorCode::kCustomKeyStoreNameInUse,
          fmt::format("Custom key store {} has this name already.", other.id)};
    }
    if (store.type == CustomKeyStoreType::kExternalKeyStore &&
        IsSameHost(other.proxy.uri_endpoint, store.proxy.uri_endpoint) &&
        other.proxy.uri_path == store.proxy.uri_path) {
      return Error{ErrorCode::kXksProxyUriInUse,
                   fmt::format("Custom key store {} has this "
                               "XksProxyUriEndpoint with this XksProxyUriPath "
                               "already.",
                               other.id)};
    }
    if (store.type == CustomKeyStoreType::kExternalKeyStore) {
      RETURN_IF_ERROR(CheckWayFits(store, other));
    }
  }
  return {};
}

base::Status CheckRoom(const CustomKeyStore& store,
                       std::span<const CustomKeyStore> stores) {
  const auto count = std::ranges::count_if(
      stores, [&](const auto& other) { return IsBeside(store, other); });
  if (stores.size() >= kMostOnServer) {
    return Error{ErrorCode::kLimitExceeded,
                 "This server has as many custom key stores as it can."};
  }
  if (static_cast<std::size_t>(count) < kMostCustomKeyStores) {
    return {};
  }
  return Error{ErrorCode::kLimitExceeded,
               fmt::format("An account can have {} custom key stores in a "
                           "Region. Delete one that is not needed.",
                           kMostCustomKeyStores)};
}

base::Status CheckServiceMembers(const Call& call,
                                 const CustomKeyStore& store) {
  const bool is_service =
      store.proxy.connectivity == XksConnectivity::kVpcEndpointService;
  if (is_service && store.proxy.vpc_endpoint_service_name.empty()) {
    return Error{ErrorCode::kValidation,
                 "You must specify XksProxyVpcEndpointServiceName with "
                 "XksProxyConnectivity VPC_ENDPOINT_SERVICE."};
  }
  for (const std::string_view member :
       {"XksProxyVpcEndpointServiceName", "XksProxyVpcEndpointServiceOwner"}) {
    if (!is_service && call.Find(member) != nullptr) {
      return Error{ErrorCode::kValidation,
                   fmt::format("You can specify {} with XksProxyConnectivity "
                               "VPC_ENDPOINT_SERVICE only.",
                               member)};
    }
  }
  return {};
}

base::Status CheckConnectivity(const CustomKeyStoreSource& source,
                               const CustomKeyStore& store) {
  const XksProxyConfiguration& proxy = store.proxy;
  if (proxy.connectivity == XksConnectivity::kPublicEndpoint ||
      source.HasVpcService(proxy.vpc_endpoint_service_name)) {
    return {};
  }
  return Error{ErrorCode::kXksProxyVpcServiceNotFound,
               fmt::format("There is no VPC endpoint service {}. The operator "
                           "of this server names those that there are in "
                           "xks_client.vpc_endpoint_services.",
                           proxy.vpc_endpoint_service_name)};
}

}  // namespace kms::operations
