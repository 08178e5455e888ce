// SPDX-License-Identifier: Apache-2.0
// The API, one row an operation. AWS KMS API Reference; the states are the rows
// of the table in AWS KMS Developer Guide, "Key states of KMS keys".
#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <vector>

#include "kms/operations/custom_key_stores/handlers.h"
#include "kms/operations/explain/handlers.h"
#include "kms/operations/explain/inputs.h"
#include "kms/operations/handlers.h"
#include "kms/operations/inputs.h"
#include "kms/operations/operation.h"
#include "kms/operations/resolve.h"
#include "kms/operations/shapes.h"
#include "kms/operations/xks/handlers.h"

namespace kms::operations {
namespace {

using namespace shapes;

constexpr bool kRequired = true;

constexpr std::array kAddAccount = {
    Member{"AccountId", &kAccountId, kRequired}};
constexpr std::array kKeyIdOnly = {Member{"KeyId", &kKeyId, kRequired}};
constexpr std::array kCreateAlias = {
    Member{"AliasName", &kAliasName, kRequired},
    Member{"TargetKeyId", &kKeyId, kRequired}};
constexpr std::array kCreateGrant = {
    Member{"KeyId", &kKeyId, kRequired},
    Member{"GranteePrincipal", &kPrincipalId},
    Member{"RetiringPrincipal", &kPrincipalId},
    Member{"Operations", &kGrantOperationList, kRequired},
    Member{"Constraints", &kGrantConstraints},
    Member{"GrantTokens", &kGrantTokens},
    Member{"Name", &kGrantName},
    Member{"DryRun", &kBoolean},
    Member{"GranteeServicePrincipal", &kServicePrincipal},
    Member{"RetiringServicePrincipal", &kServicePrincipal}};
constexpr std::array kCreateKey = {
    Member{"Policy", &kPolicy},
    Member{"Description", &kDescription},
    Member{"KeyUsage", &kKeyUsage},
    Member{"CustomerMasterKeySpec", &kCustomerMasterKeySpec},
    Member{"KeySpec", &kKeySpec},
    Member{"Origin", &kOrigin},
    Member{"CustomKeyStoreId", &kCustomKeyStoreId},
    Member{"BypassPolicyLockoutSafetyCheck", &kBoolean},
    Member{"Tags", &kTagList},
    Member{"MultiRegion", &kBoolean},
    Member{"XksKeyId", &kXksKeyId}};
constexpr std::array kDecrypt = {
    Member{"CiphertextBlob", &kCiphertext},
    Member{"EncryptionContext", &kEncryptionContext},
    Member{"GrantTokens", &kGrantTokens},
    Member{"KeyId", &kKeyId},
    Member{"EncryptionAlgorithm", &kEncryptionAlgorithm},
    Member{"Recipient", &kRecipient},
    Member{"DryRun", &kBoolean},
    Member{"DryRunModifiers", &kDryRunModifierList}};
constexpr std::array kDeleteAlias = {
    Member{"AliasName", &kAliasName, kRequired}};
constexpr std::array kDescribeKey = {Member{"KeyId", &kKeyId, kRequired},
                                     Member{"GrantTokens", &kGrantTokens}};
constexpr std::array kEnableKeyRotation = {
    Member{"KeyId", &kKeyId, kRequired},
    Member{"RotationPeriodInDays", &kRotationPeriod}};
constexpr std::array kEncrypt = {
    Member{"KeyId", &kKeyId, kRequired},
    Member{"Plaintext", &kPlaintext, kRequired},
    Member{"EncryptionContext", &kEncryptionContext},
    Member{"GrantTokens", &kGrantTokens},
    Member{"EncryptionAlgorithm", &kEncryptionAlgorithm},
    Member{"DryRun", &kBoolean}};
constexpr std::array kGenerateDataKey = {
    Member{"KeyId", &kKeyId, kRequired},
    Member{"EncryptionContext", &kEncryptionContext},
    Member{"NumberOfBytes", &kNumberOfBytes},
    Member{"KeySpec", &kDataKeySpec},
    Member{"GrantTokens", &kGrantTokens},
    Member{"Recipient", &kRecipient},
    Member{"DryRun", &kBoolean}};
constexpr std::array kGenerateDataKeyWithoutPlaintext = {
    Member{"KeyId", &kKeyId, kRequired},
    Member{"EncryptionContext", &kEncryptionContext},
    Member{"KeySpec", &kDataKeySpec},
    Member{"NumberOfBytes", &kNumberOfBytes},
    Member{"GrantTokens", &kGrantTokens},
    Member{"DryRun", &kBoolean}};
constexpr std::array kGenerateRandom = {
    Member{"NumberOfBytes", &kNumberOfBytes},
    Member{"CustomKeyStoreId", &kCustomKeyStoreId},
    Member{"Recipient", &kRecipient}};
constexpr std::array kGetKeyPolicy = {Member{"KeyId", &kKeyId, kRequired},
                                      Member{"PolicyName", &kPolicyName}};
constexpr std::array kListAliases = {Member{"KeyId", &kKeyId},
                                     Member{"Limit", &kLimit},
                                     Member{"Marker", &kMarker}};
constexpr std::array kListKeyRotations = {
    Member{"KeyId", &kKeyId, kRequired},
    Member{"IncludeKeyMaterial", &kIncludeKeyMaterial},
    Member{"Limit", &kLimit}, Member{"Marker", &kMarker}};
constexpr std::array kListGrants = {
    Member{"Limit", &kLimit},
    Member{"Marker", &kMarker},
    Member{"KeyId", &kKeyId, kRequired},
    Member{"GrantId", &kGrantId},
    Member{"GranteePrincipal", &kPrincipalId},
    Member{"GranteeServicePrincipal", &kServicePrincipal}};
constexpr std::array kListRetirableGrants = {
    Member{"Limit", &kLimit}, Member{"Marker", &kMarker},
    Member{"RetiringPrincipal", &kPrincipalId},
    Member{"RetiringServicePrincipal", &kServicePrincipal}};
constexpr std::array kListKeys = {Member{"Limit", &kLimit},
                                  Member{"Marker", &kMarker}};
constexpr std::array kListOfKey = {Member{"KeyId", &kKeyId, kRequired},
                                   Member{"Limit", &kLimit},
                                   Member{"Marker", &kMarker}};
constexpr std::array kPutKeyPolicy = {
    Member{"KeyId", &kKeyId, kRequired}, Member{"PolicyName", &kPolicyName},
    Member{"Policy", &kPolicy, kRequired},
    Member{"BypassPolicyLockoutSafetyCheck", &kBoolean}};
constexpr std::array kPutCertificate = {
    Member{"KeyId", &kKeyId, kRequired},
    Member{"Certificate", &kCertificate, kRequired},
    Member{"Chain", &kCertificateChain}};
constexpr std::array kReEncrypt = {
    Member{"CiphertextBlob", &kCiphertext},
    Member{"SourceEncryptionContext", &kEncryptionContext},
    Member{"SourceKeyId", &kKeyId},
    Member{"DestinationKeyId", &kKeyId, kRequired},
    Member{"DestinationEncryptionContext", &kEncryptionContext},
    Member{"SourceEncryptionAlgorithm", &kEncryptionAlgorithm},
    Member{"DestinationEncryptionAlgorithm", &kEncryptionAlgorithm},
    Member{"GrantTokens", &kGrantTokens},
    Member{"DryRun", &kBoolean},
    Member{"DryRunModifiers", &kDryRunModifierList}};
constexpr std::array kRetireGrant = {
    Member{"GrantToken", &kGrantToken}, Member{"KeyId", &kKeyId},
    Member{"GrantId", &kGrantId}, Member{"DryRun", &kBoolean}};
constexpr std::array kRevokeGrant = {Member{"KeyId", &kKeyId, kRequired},
                                     Member{"GrantId", &kGrantId, kRequired},
                                     Member{"DryRun", &kBoolean}};
constexpr std::array kScheduleKeyDeletion = {
    Member{"KeyId", &kKeyId, kRequired},
    Member{"PendingWindowInDays", &kPendingWindow}};
constexpr std::array kTagResource = {Member{"KeyId", &kKeyId, kRequired},
                                     Member{"Tags", &kTagList, kRequired}};
constexpr std::array kTokenOfKeyStore = {
    Member{"KeyStore", &kConfiguredName, kRequired},
    Member{"Token", &kConfiguredName}};
constexpr std::array kMoveKey = {Member{"KeyId", &kKeyId, kRequired},
                                 Member{"Placement", &kPlacement, kRequired}};
constexpr std::array kShareWrappingKey = {
    Member{"KeyStore", &kConfiguredName, kRequired},
    Member{"TargetKeyStore", &kConfiguredName, kRequired},
    Member{"TargetToken", &kConfiguredName}};
constexpr std::array kXksTenantOnly = {
    Member{"Tenant", &kXksTenant, kRequired}};
constexpr std::array kExternalKey = {
    Member{"Tenant", &kXksTenant, kRequired},
    Member{"ExternalKeyId", &kXksKeyId, kRequired}};
constexpr std::array kXksCredentialOfTenant = {
    Member{"Tenant", &kXksTenant, kRequired},
    Member{"AccessKeyId", &kXksAccessKeyId, kRequired}};
constexpr std::array kUntagResource = {
    Member{"KeyId", &kKeyId, kRequired},
    Member{"TagKeys", &kTagKeyList, kRequired}};
constexpr std::array kUpdateKeyDescription = {
    Member{"KeyId", &kKeyId, kRequired},
    Member{"Description", &kDescription, kRequired}};
constexpr std::span<const Member> kNoMembers;

constexpr std::string_view kAws = "TrentService";
constexpr std::string_view kOwn = "Claviger";
constexpr std::string_view kExplains = "claviger:Explain";
constexpr auto kReads = Effect::kReads;
constexpr auto kWrites = Effect::kWrites;
constexpr auto kAnyForm = KeyForms::kAny;
constexpr auto kIdOrArn = KeyForms::kIdOrArn;
constexpr auto kNoKey = KeyForms::kNone;
constexpr auto kArn = KeyForms::kArn;
constexpr bool kGrantable = true;
constexpr bool kCrossAccount = true;

// clang-format off
constexpr std::array kOperations = {
    Operation{kOwn, "AcceptClock", "claviger:AcceptClock", kNoMembers, kNoKey, kAnyState, kWrites, !kGrantable, !kCrossAccount, nullptr, ResolveServerOperation, AcceptClock},
    Operation{kOwn, "AddAccount", "claviger:AddAccount", kAddAccount, kNoKey, kAnyState, kWrites, !kGrantable, !kCrossAccount, nullptr, ResolveOperatorOperation, AddAccount},
    Operation{kOwn, "CreateExternalKey", "claviger:CreateExternalKey", kExternalKey, kNoKey, kAnyState, kWrites, !kGrantable, !kCrossAccount, nullptr, ResolveOperatorOperation, CreateExternalKey},
    Operation{kOwn, "CreateXksCredential", "claviger:CreateXksCredential", kXksTenantOnly, kNoKey, kAnyState, kWrites, !kGrantable, !kCrossAccount, nullptr, ResolveOperatorOperation, CreateXksCredential},
    Operation{kOwn, "DeleteCertificates", "kms:DeleteCertificates", kKeyIdOnly, kAnyForm, kUnlessPendingDeletion, kWrites, !kGrantable, !kCrossAccount, nullptr, ResolveKeyId, DeleteCertificates},
    Operation{kOwn, "DeleteXksCredential", "claviger:DeleteXksCredential", kXksCredentialOfTenant, kNoKey, kAnyState, kWrites, !kGrantable, !kCrossAccount, nullptr, ResolveOperatorOperation, DeleteXksCredential},
    Operation{kOwn, "DisableExternalKey", "claviger:DisableExternalKey", kExternalKey, kNoKey, kAnyState, kWrites, !kGrantable, !kCrossAccount, nullptr, ResolveOperatorOperation, DisableExternalKey},
    Operation{kOwn, "EnableExternalKey", "claviger:EnableExternalKey", kExternalKey, kNoKey, kAnyState, kWrites, !kGrantable, !kCrossAccount, nullptr, ResolveOperatorOperation, EnableExternalKey},
    Operation{kOwn, "Explain", kExplains, kExplain, kNoKey, kAnyState, kReads, !kGrantable, !kCrossAccount, nullptr, ResolveNothing, Explain},
    Operation{kOwn, "GetCertificates", "kms:GetPublicKey", kKeyIdOnly, kAnyForm, kAnyState, kReads, !kGrantable, kCrossAccount, nullptr, ResolveKeyId, GetCertificates},
    Operation{kOwn, "ListAccounts", "claviger:ListAccounts", kNoMembers, kNoKey, kAnyState, kReads, !kGrantable, !kCrossAccount, nullptr, ResolveOperatorOperation, ListAccounts},
    Operation{kOwn, "ListExternalKeys", "claviger:ListExternalKeys", kXksTenantOnly, kNoKey, kAnyState, kReads, !kGrantable, !kCrossAccount, nullptr, ResolveOperatorOperation, ListExternalKeys},
    Operation{kOwn, "ListPkcs11Objects", "kms:ListKeys", kListKeys, kNoKey, kAnyState, kReads, !kGrantable, !kCrossAccount, nullptr, ResolveNothing, ListPkcs11Objects},
    Operation{kOwn, "ListXksCredentials", "claviger:ListXksCredentials", kXksTenantOnly, kNoKey, kAnyState, kReads, !kGrantable, !kCrossAccount, nullptr, ResolveOperatorOperation, ListXksCredentials},
    Operation{kOwn, "MakeTransportKey", "claviger:MakeTransportKey", kTokenOfKeyStore, kNoKey, kAnyState, kWrites, !kGrantable, !kCrossAccount, nullptr, ResolveOperatorOperation, MakeTransportKey},
    Operation{kOwn, "MoveKey", "claviger:MoveKey", kMoveKey, kAnyForm, kUnlessPendingDeletion, kWrites, !kGrantable, kCrossAccount, nullptr, ResolveKeyForOperator, MoveKey},
    Operation{kOwn, "PutCertificate", "kms:PutCertificate", kPutCertificate, kAnyForm, kForCertificates, kWrites, !kGrantable, !kCrossAccount, nullptr, ResolveKeyId, PutCertificate},
    Operation{kOwn, "ReplayPolicy", kExplains, kReplayPolicy, kAnyForm, kAnyState, kReads, !kGrantable, !kCrossAccount, nullptr, ResolveNothing, ReplayPolicy},
    Operation{kOwn, "ResetKeyPolicy", "claviger:ResetKeyPolicy", kKeyIdOnly, kAnyForm, kAnyState, kWrites, !kGrantable, kCrossAccount, nullptr, ResolveKeyForOperator, ResetKeyPolicy},
    Operation{kOwn, "RotateExternalKey", "claviger:RotateExternalKey", kExternalKey, kNoKey, kAnyState, kWrites, !kGrantable, !kCrossAccount, nullptr, ResolveOperatorOperation, RotateExternalKey},
    Operation{kOwn, "ShareWrappingKey", "claviger:ShareWrappingKey", kShareWrappingKey, kNoKey, kAnyState, kWrites, !kGrantable, !kCrossAccount, nullptr, ResolveOperatorOperation, ShareWrappingKey},
    Operation{kOwn, "SimulatePolicy", kExplains, kSimulatePolicy, kAnyForm, kAnyState, kReads, !kGrantable, !kCrossAccount, ValidateAction, ResolveNothing, SimulatePolicy},
    Operation{kOwn, "Status", "claviger:Status", kNoMembers, kNoKey, kAnyState, kReads, !kGrantable, !kCrossAccount, nullptr, ResolveServerOperation, Status},
    Operation{kOwn, "WhoCan", kExplains, kWhoCan, kAnyForm, kAnyState, kReads, !kGrantable, !kCrossAccount, ValidateAction, ResolveNothing, WhoCan},
    Operation{kAws, "CancelKeyDeletion", "kms:CancelKeyDeletion", kKeyIdOnly, kIdOrArn, kOnlyPendingDeletion, kWrites, !kGrantable, !kCrossAccount, nullptr, ResolveKeyId, CancelKeyDeletion},
    Operation{kAws, "ConnectCustomKeyStore", "kms:ConnectCustomKeyStore", kCustomKeyStore, kNoKey, kAnyState, kWrites, !kGrantable, !kCrossAccount, nullptr, ResolveNothing, ConnectCustomKeyStore},
    Operation{kAws, "CreateAlias", "kms:CreateAlias", kCreateAlias, kIdOrArn, kUnlessPendingDeletion, kWrites, !kGrantable, !kCrossAccount, ValidateAliasName, ResolveCreateAlias, CreateAlias},
    Operation{kAws, "CreateCustomKeyStore", "kms:CreateCustomKeyStore", kCreateCustomKeyStore, kNoKey, kAnyState, kWrites, !kGrantable, !kCrossAccount, ValidateCreateCustomKeyStore, ResolveNothing, CreateCustomKeyStore},
    Operation{kAws, "CreateGrant", "kms:CreateGrant", kCreateGrant, kIdOrArn, kForGranting, kWrites, kGrantable, kCrossAccount, ValidateCreateGrant, ResolveKeyId, CreateGrant},
    Operation{kAws, "CreateKey", "kms:CreateKey", kCreateKey, kNoKey, kAnyState, kWrites, !kGrantable, !kCrossAccount, ValidateCreateKey, ResolveCreateKey, CreateKey},
    Operation{kAws, "Decapsulate", "kms:Decapsulate", kDecapsulate, kAnyForm, kForCryptography, kReads, kGrantable, kCrossAccount, nullptr, ResolveKeyId, NotForAnyKey},
    Operation{kAws, "Decrypt", "kms:Decrypt", kDecrypt, kAnyForm, kForCryptography, kReads, kGrantable, kCrossAccount, ValidateDecrypt, ResolveDecrypt, Decrypt},
    Operation{kAws, "DeleteAlias", "kms:DeleteAlias", kDeleteAlias, kIdOrArn, kAnyState, kWrites, !kGrantable, !kCrossAccount, ValidateAliasName, ResolveDeleteAlias, DeleteAlias},
    Operation{kAws, "DeleteCustomKeyStore", "kms:DeleteCustomKeyStore", kCustomKeyStore, kNoKey, kAnyState, kWrites, !kGrantable, !kCrossAccount, nullptr, ResolveNothing, DeleteCustomKeyStore},
    Operation{kAws, "DeleteImportedKeyMaterial", "kms:DeleteImportedKeyMaterial", kDeleteImportedKeyMaterial, kIdOrArn, kForDeletingMaterial, kWrites, !kGrantable, !kCrossAccount, nullptr, ResolveKeyId, DeleteImportedKeyMaterial},
    Operation{kAws, "DeriveSharedSecret", "kms:DeriveSharedSecret", kDeriveSharedSecret, kAnyForm, kForCryptography, kReads, kGrantable, kCrossAccount, ValidateDeriveSharedSecret, ResolveKeyId, DeriveSharedSecret},
    Operation{kAws, "DescribeCustomKeyStores", "kms:DescribeCustomKeyStores", kDescribeCustomKeyStores, kNoKey, kAnyState, kReads, !kGrantable, !kCrossAccount, ValidateDescribeCustomKeyStores, ResolveNothing, DescribeCustomKeyStores},
    Operation{kAws, "DescribeKey", "kms:DescribeKey", kDescribeKey, kAnyForm, kAnyState, kReads, kGrantable, kCrossAccount, nullptr, ResolveKeyId, DescribeKey},
    Operation{kAws, "DisableKey", "kms:DisableKey", kKeyIdOnly, kIdOrArn, kForEnabling, kWrites, !kGrantable, !kCrossAccount, nullptr, ResolveKeyId, DisableKey},
    Operation{kAws, "DisableKeyRotation", "kms:DisableKeyRotation", kKeyIdOnly, kIdOrArn, kForRotationSchedule, kWrites, !kGrantable, !kCrossAccount, nullptr, ResolveKeyId, DisableKeyRotation},
    Operation{kAws, "DisconnectCustomKeyStore", "kms:DisconnectCustomKeyStore", kCustomKeyStore, kNoKey, kAnyState, kWrites, !kGrantable, !kCrossAccount, nullptr, ResolveNothing, DisconnectCustomKeyStore},
    Operation{kAws, "EnableKey", "kms:EnableKey", kKeyIdOnly, kIdOrArn, kForEnabling, kWrites, !kGrantable, !kCrossAccount, nullptr, ResolveKeyId, EnableKey},
    Operation{kAws, "EnableKeyRotation", "kms:EnableKeyRotation", kEnableKeyRotation, kIdOrArn, kForRotationSchedule, kWrites, !kGrantable, !kCrossAccount, nullptr, ResolveKeyId, EnableKeyRotation},
    Operation{kAws, "Encapsulate", "kms:Encapsulate", kEncapsulate, kAnyForm, kForCryptography, kReads, kGrantable, kCrossAccount, nullptr, ResolveKeyId, NotForAnyKey},
    Operation{kAws, "Encrypt", "kms:Encrypt", kEncrypt, kAnyForm, kForCryptography, kReads, kGrantable, kCrossAccount, nullptr, ResolveKeyId, Encrypt},
    Operation{kAws, "GenerateDataKey", "kms:GenerateDataKey", kGenerateDataKey, kAnyForm, kForCryptography, kReads, kGrantable, kCrossAccount, ValidateGenerateDataKey, ResolveKeyId, GenerateDataKey},
    Operation{kAws, "GenerateDataKeyPair", "kms:GenerateDataKeyPair", kGenerateDataKeyPair, kAnyForm, kForCryptography, kReads, kGrantable, kCrossAccount, ValidateGenerateDataKeyPair, ResolveKeyId, GenerateDataKeyPair},
    Operation{kAws, "GenerateDataKeyPairWithoutPlaintext", "kms:GenerateDataKeyPairWithoutPlaintext", kGenerateDataKeyPairWithoutPlaintext, kAnyForm, kForCryptography, kReads, kGrantable, kCrossAccount, ValidateGenerateDataKeyPair, ResolveKeyId, GenerateDataKeyPairWithoutPlaintext},
    Operation{kAws, "GenerateDataKeyWithoutPlaintext", "kms:GenerateDataKeyWithoutPlaintext", kGenerateDataKeyWithoutPlaintext, kAnyForm, kForCryptography, kReads, kGrantable, kCrossAccount, ValidateGenerateDataKey, ResolveKeyId, GenerateDataKeyWithoutPlaintext},
    Operation{kAws, "GenerateMac", "kms:GenerateMac", kGenerateMac, kAnyForm, kForCryptography, kReads, kGrantable, kCrossAccount, nullptr, ResolveKeyId, GenerateMac},
    Operation{kAws, "GenerateRandom", "kms:GenerateRandom", kGenerateRandom, kNoKey, kAnyState, kReads, !kGrantable, !kCrossAccount, ValidateGenerateRandom, ResolveNothing, GenerateRandom},
    Operation{kAws, "GetKeyLastUsage", "kms:GetKeyLastUsage", kKeyIdOnly, kIdOrArn, kAnyState, kReads, !kGrantable, !kCrossAccount, nullptr, ResolveKeyId, GetKeyLastUsage},
    Operation{kAws, "GetKeyPolicy", "kms:GetKeyPolicy", kGetKeyPolicy, kIdOrArn, kAnyState, kReads, !kGrantable, !kCrossAccount, nullptr, ResolveKeyId, GetKeyPolicy},
    Operation{kAws, "GetKeyRotationStatus", "kms:GetKeyRotationStatus", kKeyIdOnly, kIdOrArn, kAnyState, kReads, !kGrantable, kCrossAccount, nullptr, ResolveKeyId, GetKeyRotationStatus},
    Operation{kAws, "GetParametersForImport", "kms:GetParametersForImport", kGetParametersForImport, kIdOrArn, kForImportParameters, kReads, !kGrantable, !kCrossAccount, nullptr, ResolveKeyId, GetParametersForImport},
    Operation{kAws, "GetPublicKey", "kms:GetPublicKey", kDescribeKey, kAnyForm, kForCryptography, kReads, kGrantable, kCrossAccount, nullptr, ResolveKeyId, GetPublicKey},
    Operation{kAws, "ImportKeyMaterial", "kms:ImportKeyMaterial", kImportKeyMaterial, kIdOrArn, kForImporting, kWrites, !kGrantable, !kCrossAccount, ValidateImportKeyMaterial, ResolveKeyId, ImportKeyMaterial},
    Operation{kAws, "ListAliases", "kms:ListAliases", kListAliases, kIdOrArn, kAnyState, kReads, !kGrantable, !kCrossAccount, ValidateListAliases, ResolveOptionalKeyId, ListAliases},
    Operation{kAws, "ListGrants", "kms:ListGrants", kListGrants, kIdOrArn, kAnyState, kReads, !kGrantable, kCrossAccount, ValidateListGrants, ResolveKeyId, ListGrants},
    Operation{kAws, "ListKeyPolicies", "kms:ListKeyPolicies", kListOfKey, kIdOrArn, kAnyState, kReads, !kGrantable, !kCrossAccount, nullptr, ResolveKeyId, ListKeyPolicies},
    Operation{kAws, "ListKeyRotations", "kms:ListKeyRotations", kListKeyRotations, kIdOrArn, kAnyState, kReads, !kGrantable, !kCrossAccount, nullptr, ResolveKeyId, ListKeyRotations},
    Operation{kAws, "ListKeys", "kms:ListKeys", kListKeys, kNoKey, kAnyState, kReads, !kGrantable, !kCrossAccount, nullptr, ResolveNothing, ListKeys},
    Operation{kAws, "ListResourceTags", "kms:ListResourceTags", kListOfKey, kIdOrArn, kAnyState, kReads, !kGrantable, !kCrossAccount, ValidateListResourceTags, ResolveKeyId, ListResourceTags},
    Operation{kAws, "ListRetirableGrants", "kms:ListRetirableGrants", kListRetirableGrants, kNoKey, kAnyState, kReads, !kGrantable, !kCrossAccount, ValidateListRetirableGrants, ResolveListRetirableGrants, ListRetirableGrants},
    Operation{kAws, "PutKeyPolicy", "kms:PutKeyPolicy", kPutKeyPolicy, kIdOrArn, kAnyState, kWrites, !kGrantable, !kCrossAccount, ValidatePutKeyPolicy, ResolveKeyId, PutKeyPolicy},
    Operation{kAws, "ReEncrypt", "kms:ReEncryptFrom", kReEncrypt, kAnyForm, kForCryptography, kReads, kGrantable, kCrossAccount, ValidateReEncrypt, ResolveReEncrypt, ReEncrypt},
    Operation{kAws, "ReplicateKey", "kms:ReplicateKey", kReplicateKey, kIdOrArn, kForReplicating, kWrites, !kGrantable, !kCrossAccount, ValidateReplicateKey, ResolveReplicateKey, ReplicateKey},
    Operation{kAws, "RetireGrant", "kms:RetireGrant", kRetireGrant, kArn, kAnyState, kWrites, kGrantable, kCrossAccount, ValidateRetireGrant, ResolveRetireGrant, RetireGrant},
    Operation{kAws, "RevokeGrant", "kms:RevokeGrant", kRevokeGrant, kIdOrArn, kAnyState, kWrites, !kGrantable, kCrossAccount, ValidateRevokeGrant, ResolveKeyId, RevokeGrant},
    Operation{kAws, "RotateKeyOnDemand", "kms:RotateKeyOnDemand", kKeyIdOnly, kIdOrArn, kForRotation, kWrites, !kGrantable, !kCrossAccount, nullptr, ResolveKeyId, RotateKeyOnDemand},
    Operation{kAws, "ScheduleKeyDeletion", "kms:ScheduleKeyDeletion", kScheduleKeyDeletion, kIdOrArn, kForScheduling, kWrites, !kGrantable, !kCrossAccount, ValidateScheduleKeyDeletion, ResolveKeyId, ScheduleKeyDeletion},
    Operation{kAws, "Sign", "kms:Sign", kSign, kAnyForm, kForCryptography, kReads, kGrantable, kCrossAccount, nullptr, ResolveKeyId, Sign},
    Operation{kAws, "TagResource", "kms:TagResource", kTagResource, kIdOrArn, kUnlessPendingDeletion, kWrites, !kGrantable, !kCrossAccount, ValidateTagResource, ResolveKeyId, TagResource},
    Operation{kAws, "UntagResource", "kms:UntagResource", kUntagResource, kIdOrArn, kUnlessPendingDeletion, kWrites, !kGrantable, !kCrossAccount, ValidateUntagResource, ResolveKeyId, UntagResource},
    Operation{kAws, "UpdateAlias", "kms:UpdateAlias", kCreateAlias, kIdOrArn, kUnlessPendingDeletion, kWrites, !kGrantable, !kCrossAccount, ValidateAliasName, ResolveUpdateAlias, UpdateAlias},
    Operation{kAws, "UpdateCustomKeyStore", "kms:UpdateCustomKeyStore", kUpdateCustomKeyStore, kNoKey, kAnyState, kWrites, !kGrantable, !kCrossAccount, ValidateUpdateCustomKeyStore, ResolveNothing, UpdateCustomKeyStore},
    Operation{kAws, "UpdateKeyDescription", "kms:UpdateKeyDescription", kUpdateKeyDescription, kIdOrArn, kUnlessPendingDeletion, kWrites, !kGrantable, !kCrossAccount, nullptr, ResolveKeyId, UpdateKeyDescription},
    Operation{kAws, "UpdatePrimaryRegion", "kms:UpdatePrimaryRegion", kUpdatePrimaryRegion, kIdOrArn, kForCryptography, kWrites, !kGrantable, !kCrossAccount, nullptr, ResolveUpdatePrimaryRegion, UpdatePrimaryRegion},
    Operation{kAws, "Verify", "kms:Verify", kVerify, kAnyForm, kForCryptography, kReads, kGrantable, kCrossAccount, nullptr, ResolveKeyId, Verify},
    Operation{kAws, "VerifyMac", "kms:VerifyMac", kVerifyMac, kAnyForm, kForCryptography, kReads, kGrantable, kCrossAccount, nullptr, ResolveKeyId, VerifyMac},
};
// clang-format on

constexpr std::pair<std::string_view, std::string_view> Target(
    const Operation& operation) {
  return {operation.service, operation.name};
}
static_assert(std::ranges::is_sorted(kOperations, {}, Target));

struct StateText {
  KeyState state;
  base::ErrorCode code;
  std::string_view text;  // "<ARN> is " + text + "."
};
constexpr std::array kStateTexts = {
    StateText{KeyState::kEnabled, base::ErrorCode::kInvalidState,
              "not pending deletion"},
    StateText{KeyState::kDisabled, base::ErrorCode::kDisabled, "disabled"},
    StateText{KeyState::kPendingDeletion, base::ErrorCode::kInvalidState,
              "pending deletion"},
    StateText{KeyState::kPendingReplicaDeletion, base::ErrorCode::kInvalidState,
              "pending replica deletion"},
    StateText{KeyState::kPendingImport, base::ErrorCode::kInvalidState,
              "pending import"},
    StateText{KeyState::kUnavailable, base::ErrorCode::kInvalidState,
              "unavailable"},
    StateText{KeyState::kCreating, base::ErrorCode::kInvalidState, "creating"},
    StateText{KeyState::kUpdating, base::ErrorCode::kInvalidState, "updating"},
};
static_assert(kStateTexts.size() == 8, "every KeyState has a text");

}  // namespace

std::span<const Operation> AllOperations() {
  static const auto all = [] {
    std::vector<Operation> rows(kOperations.begin(), kOperations.end());
    for (const auto more : {IamOperations(), StsOperations()}) {
      rows.insert(rows.end(), more.begin(), more.end());
    }
    std::ranges::sort(rows, {}, Target);
    return rows;
  }();
  return all;
}

const Operation* FindOperation(std::string_view service,
                               std::string_view name) {
  const std::pair target(service, name);
  const std::span<const Operation> all = AllOperations();
  const auto it = std::ranges::lower_bound(all, target, {}, Target);
  return it != all.end() && Target(*it) == target ? &*it : nullptr;
}

base::Status CheckState(States allowed, const Key& key) {
  if ((allowed & Bit(key.state)) != 0) {
    return {};
  }
  if (allowed == kOnlyPendingDeletion) {
    return base::Error{base::ErrorCode::kInvalidState,
                       key.Arn() + " is not pending deletion"};
  }
  const auto it = std::ranges::find(kStateTexts, key.state, &StateText::state);
  return base::Error{it->code, fmt::format("{} is {}.", key.Arn(), it->text)};
}

}  // namespace kms::operations
