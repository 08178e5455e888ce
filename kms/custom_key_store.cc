// SPDX-License-Identifier: Apache-2.0
#include "kms/custom_key_store.h"

#include "kms/names.h"

namespace kms {
namespace {

constexpr std::array kTypes = {
    Names<CustomKeyStoreType>{CustomKeyStoreType::kAwsCloudHsm, "AWS_CLOUDHSM"},
    Names<CustomKeyStoreType>{CustomKeyStoreType::kExternalKeyStore,
                              "EXTERNAL_KEY_STORE"},
};
constexpr std::array kStates = {
    Names<ConnectionState>{ConnectionState::kConnected, "CONNECTED"},
    Names<ConnectionState>{ConnectionState::kConnecting, "CONNECTING"},
    Names<ConnectionState>{ConnectionState::kFailed, "FAILED"},
    Names<ConnectionState>{ConnectionState::kDisconnected, "DISCONNECTED"},
    Names<ConnectionState>{ConnectionState::kDisconnecting, "DISCONNECTING"},
};
constexpr std::array kConnectivities = {
    Names<XksConnectivity>{XksConnectivity::kPublicEndpoint, "PUBLIC_ENDPOINT"},
    Names<XksConnectivity>{XksConnectivity::kVpcEndpointService,
                           "VPC_ENDPOINT_SERVICE"},
};

}  // namespace

std::string_view CustomKeyStoreTypeName(CustomKeyStoreType type) {
  return NameOf(kTypes, type);
}
std::string_view ConnectionStateName(ConnectionState state) {
  return NameOf(kStates, state);
}
std::string_view XksConnectivityName(XksConnectivity connectivity) {
  return NameOf(kConnectivities, connectivity);
}

std::optional<CustomKeyStoreType> ParseCustomKeyStoreType(
    std::string_view name) {
  return ValueOf(kTypes, name);
}
std::optional<ConnectionState> ParseConnectionState(std::string_view name) {
  return ValueOf(kStates, name);
}
std::optional<XksConnectivity> ParseXksConnectivity(std::string_view name) {
  return ValueOf(kConnectivities, name);
}

}  // namespace kms
