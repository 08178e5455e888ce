// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_SHAPES_H_
#define KMS_OPERATIONS_SHAPES_H_

#include <array>
#include <string_view>

#include "kms/grant.h"
#include "kms/operations/shape.h"

// The shapes of the AWS KMS API model (2014-11-01) that our operations take.
namespace kms::operations::shapes {

using namespace std::string_view_literals;

bool IsAliasName(std::string_view value);
bool IsGrantSourceArn(std::string_view value);
bool IsMarker(std::string_view value);
bool IsPolicyName(std::string_view value);
bool IsPolicy(std::string_view value);
bool IsPrincipalId(std::string_view value);
bool IsServicePrincipal(std::string_view value);
bool IsXksKeyId(std::string_view value);
bool IsCloudHsmClusterId(std::string_view value);
bool IsKeyMaterialId(std::string_view value);
bool IsKeyMaterialDescription(std::string_view value);
bool IsRegion(std::string_view value);  // Of any length.
bool IsXksAccessKeyId(std::string_view value);
bool IsXksSecretAccessKey(std::string_view value);
bool IsXksUriEndpoint(std::string_view value);
bool IsXksUriPath(std::string_view value);
bool IsXksServiceName(std::string_view value);
bool IsAccountId(std::string_view value);

inline constexpr Pattern kAliasNamePattern = {"^[a-zA-Z0-9:/_-]+$",
                                              IsAliasName};
inline constexpr Pattern kGrantSourceArnPattern = {
    "^arn:aws[a-z0-9-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]{12}:.+$", IsGrantSourceArn};
inline constexpr Pattern kMarkerPattern = {"[\\u0020-\\u00FF]*", IsMarker};
inline constexpr Pattern kPolicyNamePattern = {"[\\w]+", IsPolicyName};
inline constexpr Pattern kPolicyPattern = {
    "[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+", IsPolicy};
inline constexpr Pattern kPrincipalIdPattern = {"^[\\w+=,.@:/-]+$",
                                                IsPrincipalId};
inline constexpr Pattern kServicePrincipalPattern = {
    "^([A-Za-z0-9\\-]+)\\.([A-Za-z0-9\\-]+)(\\.[A-Za-z0-9\\-]+)+$",
    IsServicePrincipal};
inline constexpr Pattern kXksKeyIdPattern = {"^[a-zA-Z0-9-_.]+$", IsXksKeyId};

inline constexpr Pattern kCloudHsmClusterIdPattern = {
    "cluster-[2-7a-zA-Z]{11,16}", IsCloudHsmClusterId};
inline constexpr Pattern kKeyMaterialIdPattern = {"^[a-f0-9]+$",
                                                  IsKeyMaterialId};
inline constexpr Pattern kKeyMaterialDescriptionPattern = {
    "^[a-zA-Z0-9:/_\\s.-]+$", IsKeyMaterialDescription};
inline constexpr Pattern kRegionPattern = {"^([a-z]+-){2,3}\\d+$", IsRegion};
inline constexpr Pattern kXksAccessKeyIdPattern = {"^[A-Z2-7]+$",
                                                   IsXksAccessKeyId};
inline constexpr Pattern kXksSecretAccessKeyPattern = {"^[a-zA-Z0-9\\/+=]+$",
                                                       IsXksSecretAccessKey};
inline constexpr Pattern kXksUriEndpointPattern = {"^https://[a-zA-Z0-9.-]+$",
                                                   IsXksUriEndpoint};
inline constexpr Pattern kXksUriPathPattern = {
    "^(/[a-zA-Z0-9\\/_-]+/kms/xks/v\\d{1,2})$|^(/kms/xks/v\\d{1,2})$",
    IsXksUriPath};
inline constexpr Pattern kXksServiceNamePattern = {
    "^(com|eu)\\.amazonaws\\.vpce\\.([a-z]+-){2,3}\\d+\\.vpce-svc-[0-9a-z]+$",
    IsXksServiceName};
inline constexpr Pattern kAccountIdPattern = {"[0-9]{12}", IsAccountId};

inline constexpr std::array kCustomerMasterKeySpecs = {
    "RSA_2048"sv,        "RSA_3072"sv,          "RSA_4096"sv,
    "ECC_NIST_P256"sv,   "ECC_NIST_P384"sv,     "ECC_NIST_P521"sv,
    "ECC_SECG_P256K1"sv, "SYMMETRIC_DEFAULT"sv, "HMAC_224"sv,
    "HMAC_256"sv,        "HMAC_384"sv,          "HMAC_512"sv};
inline constexpr std::array kKeySpecs = {
    "RSA_2048"sv,        "RSA_3072"sv,
    "RSA_4096"sv,        "ECC_NIST_P256"sv,
    "ECC_NIST_P384"sv,   "ECC_NIST_P521"sv,
    "ECC_SECG_P256K1"sv, "SYMMETRIC_DEFAULT"sv,
    "HMAC_224"sv,        "HMAC_256"sv,
    "HMAC_384"sv,        "HMAC_512"sv,
    "ML_DSA_44"sv,       "ML_DSA_65"sv,
    "ML_DSA_87"sv,       "ECC_NIST_EDWARDS25519"sv,
    "ML_KEM_512"sv,      "ML_KEM_768"sv,
    "ML_KEM_1024"sv};
inline constexpr std::array kKeyUsages = {
    "SIGN_VERIFY"sv, "ENCRYPT_DECRYPT"sv, "GENERATE_VERIFY_MAC"sv,
    "KEY_AGREEMENT"sv, "ENCAPSULATE_DECAPSULATE"sv};
inline constexpr std::array kOrigins = {
    "AWS_KMS"sv, "EXTERNAL"sv, "AWS_CLOUDHSM"sv, "EXTERNAL_KEY_STORE"sv};
inline constexpr std::array kEncryptionAlgorithms = {
    "SYMMETRIC_DEFAULT"sv, "RSAES_OAEP_SHA_1"sv, "RSAES_OAEP_SHA_256"sv};
inline constexpr std::array kDataKeyPairSpecs = {
    "RSA_2048"sv,        "RSA_3072"sv,
    "RSA_4096"sv,        "ECC_NIST_P256"sv,
    "ECC_NIST_P384"sv,   "ECC_NIST_P521"sv,
    "ECC_SECG_P256K1"sv, "ECC_NIST_EDWARDS25519"sv,
    "ML_KEM_512"sv,      "ML_KEM_768"sv,
    "ML_KEM_1024"sv};
inline constexpr std::array kSigningAlgorithms = {"RSASSA_PSS_SHA_256"sv,
                                                  "RSASSA_PSS_SHA_384"sv,
                                                  "RSASSA_PSS_SHA_512"sv,
                                                  "RSASSA_PKCS1_V1_5_SHA_256"sv,
                                                  "RSASSA_PKCS1_V1_5_SHA_384"sv,
                                                  "RSASSA_PKCS1_V1_5_SHA_512"sv,
                                                  "ECDSA_SHA_256"sv,
                                                  "ECDSA_SHA_384"sv,
                                                  "ECDSA_SHA_512"sv,
                                                  "ML_DSA_SHAKE_256"sv,
                                                  "ED25519_SHA_512"sv,
                                                  "ED25519_PH_SHA_512"sv};
inline constexpr std::array kMacAlgorithms = {
    "HMAC_SHA_224"sv, "HMAC_SHA_256"sv, "HMAC_SHA_384"sv, "HMAC_SHA_512"sv};
inline constexpr std::array kKeyAgreementAlgorithms = {"ECDH"sv};
inline constexpr std::array kEncapsulationAlgorithms = {"ML_KEM"sv};
inline constexpr std::array kMessageTypes = {"RAW"sv, "DIGEST"sv,
                                             "EXTERNAL_MU"sv};
inline constexpr std::array kCustomKeyStoreTypes = {"AWS_CLOUDHSM"sv,
                                                    "EXTERNAL_KEY_STORE"sv};
inline constexpr std::array kXksConnectivities = {"PUBLIC_ENDPOINT"sv,
                                                  "VPC_ENDPOINT_SERVICE"sv};
inline constexpr std::array kWrappingAlgorithms = {
    "RSAES_PKCS1_V1_5"sv, "RSAES_OAEP_SHA_1"sv, "RSAES_OAEP_SHA_256"sv,
    "RSA_AES_KEY_WRAP_SHA_1"sv, "RSA_AES_KEY_WRAP_SHA_256"sv};
inline constexpr std::array kWrappingKeySpecs = {"RSA_2048"sv, "RSA_3072"sv,
                                                 "RSA_4096"sv};
inline constexpr std::array kExpirationModels = {
    "KEY_MATERIAL_EXPIRES"sv, "KEY_MATERIAL_DOES_NOT_EXPIRE"sv};
inline constexpr std::array kPlacements = {"resident"sv, "wrapped"sv};
inline constexpr std::array kImportTypes = {"NEW_KEY_MATERIAL"sv,
                                            "EXISTING_KEY_MATERIAL"sv};
inline constexpr std::array kDataKeySpecs = {"AES_256"sv, "AES_128"sv};
inline constexpr std::array kIncludedKeyMaterials = {"ALL_KEY_MATERIAL"sv,
                                                     "ROTATIONS_ONLY"sv};
inline constexpr std::array kDryRunModifiers = {"IGNORE_CIPHERTEXT"sv};
inline constexpr std::array kKeyEncryptionMechanisms = {"RSAES_OAEP_SHA_256"sv};

inline constexpr Shape kBoolean = {.type = Type::kBoolean};
inline constexpr Shape kKeyId = {.min = 1, .max = 2048};
inline constexpr Shape kAliasName = {
    .min = 1, .max = 256, .pattern = &kAliasNamePattern};
inline constexpr Shape kDescription = {.min = 0, .max = 8192};
inline constexpr Shape kPolicy = {
    .min = 1, .max = 131072, .pattern = &kPolicyPattern};
inline constexpr Shape kPolicyName = {
    .min = 1, .max = 128, .pattern = &kPolicyNamePattern};
inline constexpr Shape kCustomKeyStoreId = {.min = 1, .max = 64};
inline constexpr Shape kXksKeyId = {
    .min = 1, .max = 128, .pattern = &kXksKeyIdPattern};
inline constexpr Shape kKeySpec = {.values = kKeySpecs};
inline constexpr Shape kCustomerMasterKeySpec = {.values =
                                                     kCustomerMasterKeySpecs};
inline constexpr Shape kKeyUsage = {.values = kKeyUsages};
inline constexpr Shape kOrigin = {.values = kOrigins};
inline constexpr Shape kEncryptionAlgorithm = {.values = kEncryptionAlgorithms};
inline constexpr Shape kDataKeySpec = {.values = kDataKeySpecs};
inline constexpr Shape kDataKeyPairSpec = {.values = kDataKeyPairSpecs};
inline constexpr Shape kSigningAlgorithm = {.values = kSigningAlgorithms};
inline constexpr Shape kMacAlgorithm = {.values = kMacAlgorithms};
inline constexpr Shape kKeyAgreementAlgorithm = {.values =
                                                     kKeyAgreementAlgorithms};
inline constexpr Shape kEncapsulationAlgorithm = {.values =
                                                      kEncapsulationAlgorithms};
inline constexpr Shape kMessageType = {.values = kMessageTypes};
inline constexpr Shape kPublicKey = {
    .type = Type::kBlob, .min = 1, .max = 8192};
inline constexpr Shape kPlaintext = {
    .type = Type::kBlob, .min = 1, .max = 4096};
inline constexpr Shape kCiphertext = {
    .type = Type::kBlob, .min = 1, .max = 6144};
inline constexpr Shape kNumberOfBytes = {
    .type = Type::kInteger, .min = 1, .max = 1024};
inline constexpr Shape kLimit = {.type = Type::kInteger, .min = 1, .max = 1000};
inline constexpr Shape kMarker = {
    .min = 1, .max = 1024, .pattern = &kMarkerPattern};
inline constexpr Shape kPendingWindow = {
    .type = Type::kInteger, .min = 1, .max = 365};
inline constexpr Shape kRotationPeriod = {
    .type = Type::kInteger, .min = 90, .max = 2560};
inline constexpr Shape kIncludeKeyMaterial = {.values = kIncludedKeyMaterials};
inline constexpr Shape kEncryptionContext = {.type = Type::kStringMap};

// A grant token is a bearer credential: it is not audited.
inline constexpr Shape kGrantToken = {.min = 1, .max = 8192, .audited = false};
inline constexpr Shape kGrantTokens = {.type = Type::kList,
                                       .min = 0,
                                       .max = 10,
                                       .item = &kGrantToken,
                                       .audited = false};

inline constexpr Shape kGrantId = {.min = 1, .max = 128};
inline constexpr Shape kGrantName = {
    .min = 1, .max = 256, .pattern = &kAliasNamePattern};
inline constexpr Shape kPrincipalId = {
    .min = 1, .max = 256, .pattern = &kPrincipalIdPattern};
inline constexpr Shape kServicePrincipal = {
    .min = 1, .max = 128, .pattern = &kServicePrincipalPattern};
inline constexpr Shape kGrantOperation = {.values = kGrantOperationNames};
// The model gives no minimum; a grant of nothing is nobody's wish.
inline constexpr Shape kGrantOperationList = {
    .type = Type::kList, .min = 1, .item = &kGrantOperation};
inline constexpr Shape kGrantSourceArn = {
    .min = 20, .max = 512, .pattern = &kGrantSourceArnPattern};
inline constexpr std::array kGrantConstraintMembers = {
    Member{"EncryptionContextSubset", &kEncryptionContext},
    Member{"EncryptionContextEquals", &kEncryptionContext},
    Member{"SourceArn", &kGrantSourceArn}};
inline constexpr Shape kGrantConstraints = {.type = Type::kStructure,
                                            .members = kGrantConstraintMembers};

inline constexpr Shape kDryRunModifier = {.values = kDryRunModifiers};
inline constexpr Shape kDryRunModifierList = {.type = Type::kList,
                                              .item = &kDryRunModifier};

inline constexpr Shape kTagKey = {.min = 1, .max = 128};
inline constexpr Shape kTagValue = {.min = 0, .max = 256};
inline constexpr std::array kTagMembers = {
    Member{"TagKey", &kTagKey, true}, Member{"TagValue", &kTagValue, true}};
inline constexpr Shape kTag = {.type = Type::kStructure,
                               .members = kTagMembers};
inline constexpr Shape kTagList = {.type = Type::kList, .item = &kTag};
inline constexpr Shape kTagKeyList = {.type = Type::kList, .item = &kTagKey};

inline constexpr Shape kAttestationDocument = {
    .type = Type::kBlob, .min = 1, .max = 262144};
inline constexpr Shape kKeyEncryptionMechanism = {.values =
                                                      kKeyEncryptionMechanisms};
inline constexpr std::array kRecipientMembers = {
    Member{"KeyEncryptionAlgorithm", &kKeyEncryptionMechanism},
    Member{"AttestationDocument", &kAttestationDocument}};
inline constexpr Shape kRecipient = {.type = Type::kStructure,
                                     .members = kRecipientMembers};

// Custom key stores. A password and an access key are secrets.
inline constexpr Shape kCustomKeyStoreName = {.min = 1, .max = 256};
inline constexpr Shape kCloudHsmClusterId = {
    .min = 19, .max = 24, .pattern = &kCloudHsmClusterIdPattern};
// What is no certificate may be a private key.
inline constexpr Shape kTrustAnchorCertificate = {
    .min = 1, .max = 5000, .audited = false};
inline constexpr Shape kKeyStorePassword = {
    .min = 7, .max = 32, .audited = false};
inline constexpr Shape kCustomKeyStoreType = {.values = kCustomKeyStoreTypes};
inline constexpr Shape kXksUriEndpoint = {
    .min = 10, .max = 128, .pattern = &kXksUriEndpointPattern};
inline constexpr Shape kXksUriPath = {
    .min = 10, .max = 128, .pattern = &kXksUriPathPattern};
inline constexpr Shape kXksServiceName = {
    .min = 20, .max = 64, .pattern = &kXksServiceNamePattern};
inline constexpr Shape kAccountId = {
    .min = 12, .max = 12, .pattern = &kAccountIdPattern};
// What the configuration calls a table of its.
inline constexpr Shape kConfiguredName = {.min = 1, .max = 64};
inline constexpr Shape kXksTenant = {.min = 1, .max = 64};
inline constexpr Shape kXksConnectivity = {.values = kXksConnectivities};
inline constexpr Shape kXksAccessKeyId = {
    .min = 20, .max = 30, .pattern = &kXksAccessKeyIdPattern, .audited = false};
inline constexpr Shape kXksSecretAccessKey = {
    .min = 43,
    .max = 64,
    .pattern = &kXksSecretAccessKeyPattern,
    .audited = false};
inline constexpr std::array kXksCredentialMembers = {
    Member{"AccessKeyId", &kXksAccessKeyId, true},
    Member{"RawSecretAccessKey", &kXksSecretAccessKey, true}};
inline constexpr Shape kXksCredential = {.type = Type::kStructure,
                                         .members = kXksCredentialMembers,
                                         .audited = false};

// Imported key material.
inline constexpr Shape kWrappingAlgorithm = {.values = kWrappingAlgorithms};
inline constexpr Shape kWrappingKeySpec = {.values = kWrappingKeySpecs};
inline constexpr Shape kExpirationModel = {.values = kExpirationModels};
inline constexpr Shape kPlacement = {.values = kPlacements};
inline constexpr Shape kImportType = {.values = kImportTypes};
inline constexpr Shape kTimestamp = {.type = Type::kTimestamp};
inline constexpr Shape kKeyMaterialId = {
    .min = 64, .max = 64, .pattern = &kKeyMaterialIdPattern};
inline constexpr Shape kKeyMaterialDescription = {
    .min = 0, .max = 256, .pattern = &kKeyMaterialDescriptionPattern};

// Certificates. In the audit log they would be long and say little: what they
// are for, the key, is there.
inline constexpr Shape kCertificate = {
    .type = Type::kBlob, .min = 1, .max = 8192};
inline constexpr Shape kCertificateChain = {.type = Type::kList,
                                            .min = 0,
                                            .max = 9,
                                            .item = &kCertificate,
                                            .audited = false};

// Multi-Region keys.
inline constexpr Shape kRegion = {
    .min = 1, .max = 32, .pattern = &kRegionPattern};

}  // namespace kms::operations::shapes

#endif  // KMS_OPERATIONS_SHAPES_H_
