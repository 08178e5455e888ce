// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CUSTOM_KEY_STORE_H_
#define KMS_CUSTOM_KEY_STORE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "hsm/client/client.h"

// Custom key stores, in AWS's words. AWS KMS API Reference,
// CustomKeyStoresListEntry. Plain data.
namespace kms {

enum class CustomKeyStoreType : std::uint8_t {
  kAwsCloudHsm,       // Keys live in a configured [[key_store]] of its own.
  kExternalKeyStore,  // Keys live behind an XKS proxy.
};
enum class ConnectionState : std::uint8_t {
  kConnected,
  kConnecting,
  kFailed,
  kDisconnected,
  kDisconnecting,
};
enum class XksConnectivity : std::uint8_t {
  kPublicEndpoint,
  kVpcEndpointService,
};

std::string_view CustomKeyStoreTypeName(CustomKeyStoreType type);
std::string_view ConnectionStateName(ConnectionState state);
std::string_view XksConnectivityName(XksConnectivity connectivity);
std::optional<CustomKeyStoreType> ParseCustomKeyStoreType(
    std::string_view name);
std::optional<ConnectionState> ParseConnectionState(std::string_view name);
std::optional<XksConnectivity> ParseXksConnectivity(std::string_view name);

// How an external key store is reached. The secret is sealed under the service
// key "xks-credentials".
struct XksProxyConfiguration {
  XksConnectivity connectivity = XksConnectivity::kPublicEndpoint;
  std::string uri_endpoint;               // "https://xks.example.com"
  std::string uri_path;                   // "/prefix/kms/xks/v1"
  std::string vpc_endpoint_service_name;  // Of kVpcEndpointService only.
  std::string vpc_endpoint_service_owner;
  std::string access_key_id;
  hsm::Sealed sealed_secret;
  base::WallTime credential_set{};
};

struct CustomKeyStore {
  std::string id;  // "cks-" + 17 hex digits.
  std::string account;
  std::string region;
  std::string name;  // 1..256 characters; the only one in its Region.
  CustomKeyStoreType type = CustomKeyStoreType::kAwsCloudHsm;
  base::WallTime created{};
  ConnectionState state = ConnectionState::kDisconnected;
  std::string connection_error_code;  // In kFailed only.
  // Of kAwsCloudHsm: the cluster_id of the configured key store; and that one's
  // name, from the first connect on, for as long as it is connected or has
  // keys: they are there, whatever the configuration calls that cluster later.
  std::string cloud_hsm_cluster_id;
  std::string key_store;
  std::string trust_anchor_certificate;  // As it was given; PEM.
  // Of kExternalKeyStore. Of kAwsCloudHsm only the sealed secret, which is the
  // KeyStorePassword, and when it was set.
  XksProxyConfiguration proxy;
};

}  // namespace kms

#endif  // KMS_CUSTOM_KEY_STORE_H_
