// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_INPUTS_H_
#define KMS_OPERATIONS_INPUTS_H_

#include <array>

#include "kms/operations/shape.h"
#include "kms/operations/shapes.h"

// The inputs of the operations with key pairs, MACs and data key pairs, and of
// those that the server only knows; the rest stand in table.cc.
namespace kms::operations::shapes {

inline constexpr std::array kCustomKeyStore = {
    Member{"CustomKeyStoreId", &kCustomKeyStoreId, true}};
inline constexpr std::array kCreateCustomKeyStore = {
    Member{"CustomKeyStoreName", &kCustomKeyStoreName, true},
    Member{"CloudHsmClusterId", &kCloudHsmClusterId},
    Member{"TrustAnchorCertificate", &kTrustAnchorCertificate},
    Member{"KeyStorePassword", &kKeyStorePassword},
    Member{"CustomKeyStoreType", &kCustomKeyStoreType},
    Member{"XksProxyUriEndpoint", &kXksUriEndpoint},
    Member{"XksProxyUriPath", &kXksUriPath},
    Member{"XksProxyVpcEndpointServiceName", &kXksServiceName},
    Member{"XksProxyVpcEndpointServiceOwner", &kAccountId},
    Member{"XksProxyAuthenticationCredential", &kXksCredential},
    Member{"XksProxyConnectivity", &kXksConnectivity}};
inline constexpr std::array kUpdateCustomKeyStore = {
    Member{"CustomKeyStoreId", &kCustomKeyStoreId, true},
    Member{"NewCustomKeyStoreName", &kCustomKeyStoreName},
    Member{"KeyStorePassword", &kKeyStorePassword},
    Member{"CloudHsmClusterId", &kCloudHsmClusterId},
    Member{"XksProxyUriEndpoint", &kXksUriEndpoint},
    Member{"XksProxyUriPath", &kXksUriPath},
    Member{"XksProxyVpcEndpointServiceName", &kXksServiceName},
    Member{"XksProxyVpcEndpointServiceOwner", &kAccountId},
    Member{"XksProxyAuthenticationCredential", &kXksCredential},
    Member{"XksProxyConnectivity", &kXksConnectivity}};
inline constexpr std::array kDescribeCustomKeyStores = {
    Member{"CustomKeyStoreId", &kCustomKeyStoreId},
    Member{"CustomKeyStoreName", &kCustomKeyStoreName},
    Member{"Limit", &kLimit}, Member{"Marker", &kMarker}};
inline constexpr std::array kEncapsulate = {
    Member{"KeyId", &kKeyId, true},
    Member{"EncapsulationAlgorithm", &kEncapsulationAlgorithm, true},
    Member{"GrantTokens", &kGrantTokens}, Member{"DryRun", &kBoolean}};
inline constexpr std::array kDecapsulate = {
    Member{"KeyId", &kKeyId, true},
    Member{"SharedSecretCiphertextBlob", &kCiphertext, true},
    Member{"EncapsulationAlgorithm", &kEncapsulationAlgorithm, true},
    Member{"GrantTokens", &kGrantTokens}, Member{"DryRun", &kBoolean}};
inline constexpr std::array kDeleteImportedKeyMaterial = {
    Member{"KeyId", &kKeyId, true}, Member{"KeyMaterialId", &kKeyMaterialId}};
inline constexpr std::array kDeriveSharedSecret = {
    Member{"KeyId", &kKeyId, true},
    Member{"KeyAgreementAlgorithm", &kKeyAgreementAlgorithm, true},
    Member{"PublicKey", &kPublicKey, true},
    Member{"GrantTokens", &kGrantTokens},
    Member{"DryRun", &kBoolean},
    Member{"Recipient", &kRecipient}};
inline constexpr std::array kGenerateDataKeyPair = {
    Member{"EncryptionContext", &kEncryptionContext},
    Member{"KeyId", &kKeyId, true},
    Member{"KeyPairSpec", &kDataKeyPairSpec, true},
    Member{"GrantTokens", &kGrantTokens},
    Member{"Recipient", &kRecipient},
    Member{"DryRun", &kBoolean}};
inline constexpr std::array kGenerateDataKeyPairWithoutPlaintext = {
    Member{"EncryptionContext", &kEncryptionContext},
    Member{"KeyId", &kKeyId, true},
    Member{"KeyPairSpec", &kDataKeyPairSpec, true},
    Member{"GrantTokens", &kGrantTokens}, Member{"DryRun", &kBoolean}};
inline constexpr std::array kGenerateMac = {
    Member{"Message", &kPlaintext, true}, Member{"KeyId", &kKeyId, true},
    Member{"MacAlgorithm", &kMacAlgorithm, true},
    Member{"GrantTokens", &kGrantTokens}, Member{"DryRun", &kBoolean}};
inline constexpr std::array kVerifyMac = {
    Member{"Message", &kPlaintext, true},
    Member{"KeyId", &kKeyId, true},
    Member{"MacAlgorithm", &kMacAlgorithm, true},
    Member{"Mac", &kCiphertext, true},
    Member{"GrantTokens", &kGrantTokens},
    Member{"DryRun", &kBoolean}};
inline constexpr std::array kGetParametersForImport = {
    Member{"KeyId", &kKeyId, true},
    Member{"WrappingAlgorithm", &kWrappingAlgorithm, true},
    Member{"WrappingKeySpec", &kWrappingKeySpec, true}};
inline constexpr std::array kImportKeyMaterial = {
    Member{"KeyId", &kKeyId, true},
    Member{"ImportToken", &kCiphertext, true},
    Member{"EncryptedKeyMaterial", &kCiphertext, true},
    Member{"ValidTo", &kTimestamp},
    Member{"ExpirationModel", &kExpirationModel},
    Member{"ImportType", &kImportType},
    Member{"KeyMaterialDescription", &kKeyMaterialDescription},
    Member{"KeyMaterialId", &kKeyMaterialId}};
inline constexpr std::array kReplicateKey = {
    Member{"KeyId", &kKeyId, true},
    Member{"ReplicaRegion", &kRegion, true},
    Member{"Policy", &kPolicy},
    Member{"BypassPolicyLockoutSafetyCheck", &kBoolean},
    Member{"Description", &kDescription},
    Member{"Tags", &kTagList}};
inline constexpr std::array kSign = {
    Member{"KeyId", &kKeyId, true},
    Member{"Message", &kPlaintext, true},
    Member{"MessageType", &kMessageType},
    Member{"GrantTokens", &kGrantTokens},
    Member{"SigningAlgorithm", &kSigningAlgorithm, true},
    Member{"DryRun", &kBoolean}};
inline constexpr std::array kVerify = {
    Member{"KeyId", &kKeyId, true},
    Member{"Message", &kPlaintext, true},
    Member{"MessageType", &kMessageType},
    Member{"Signature", &kCiphertext, true},
    Member{"SigningAlgorithm", &kSigningAlgorithm, true},
    Member{"GrantTokens", &kGrantTokens},
    Member{"DryRun", &kBoolean}};
inline constexpr std::array kUpdatePrimaryRegion = {
    Member{"KeyId", &kKeyId, true}, Member{"PrimaryRegion", &kRegion, true}};

}  // namespace kms::operations::shapes

#endif  // KMS_OPERATIONS_INPUTS_H_
