// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_HANDLERS_H_
#define KMS_OPERATIONS_HANDLERS_H_

#include <boost/asio/awaitable.hpp>

#include "base/result.h"
#include "kms/operations/call.h"
#include "kms/service.h"

// What the rows of table.cc point to. Each operation's functions stand in the
// file of its name; see Operation for what each kind of function does.
namespace kms::operations {

using Answer = boost::asio::awaitable<base::Result<Reply>>;

Answer CancelKeyDeletion(Call& call);

base::Status ValidateAliasName(const Call& call);
base::Status ResolveCreateAlias(Call& call);
Answer CreateAlias(Call& call);

base::Status ValidateCreateGrant(const Call& call);
Answer CreateGrant(Call& call);

base::Status ValidateCreateKey(const Call& call);
base::Status ResolveCreateKey(Call& call);
Answer CreateKey(Call& call);

base::Status ValidateDecrypt(const Call& call);
base::Status ResolveDecrypt(Call& call);
Answer Decrypt(Call& call);

base::Status ResolveDeleteAlias(Call& call);
Answer DeleteAlias(Call& call);

Answer DeleteImportedKeyMaterial(Call& call);

base::Status ValidateDeriveSharedSecret(const Call& call);
Answer DeriveSharedSecret(Call& call);

Answer DescribeKey(Call& call);
Answer DisableKey(Call& call);
Answer DisableKeyRotation(Call& call);
Answer EnableKey(Call& call);
Answer EnableKeyRotation(Call& call);
Answer Encrypt(Call& call);

base::Status ValidateGenerateDataKey(const Call& call);
Answer GenerateDataKey(Call& call);
Answer GenerateDataKeyWithoutPlaintext(Call& call);

base::Status ValidateGenerateDataKeyPair(const Call& call);
Answer GenerateDataKeyPair(Call& call);
Answer GenerateDataKeyPairWithoutPlaintext(Call& call);

Answer GenerateMac(Call& call);

base::Status ValidateGenerateRandom(const Call& call);
Answer GenerateRandom(Call& call);

Answer GetKeyLastUsage(Call& call);
Answer GetKeyPolicy(Call& call);
Answer GetKeyRotationStatus(Call& call);
Answer GetParametersForImport(Call& call);
Answer GetPublicKey(Call& call);

base::Status ValidateImportKeyMaterial(const Call& call);
Answer ImportKeyMaterial(Call& call);

base::Status ValidateListAliases(const Call& call);
Answer ListAliases(Call& call);

base::Status ValidateListGrants(const Call& call);
Answer ListGrants(Call& call);

Answer ListKeyPolicies(Call& call);
Answer ListKeyRotations(Call& call);
Answer ListKeys(Call& call);

base::Status ValidateListResourceTags(const Call& call);
Answer ListResourceTags(Call& call);

base::Status ValidateListRetirableGrants(const Call& call);
base::Status ResolveListRetirableGrants(Call& call);
Answer ListRetirableGrants(Call& call);

base::Status ValidatePutKeyPolicy(const Call& call);
Answer PutKeyPolicy(Call& call);

base::Status ValidateReEncrypt(const Call& call);
base::Status ResolveReEncrypt(Call& call);
Answer ReEncrypt(Call& call);

base::Status ValidateReplicateKey(const Call& call);
base::Status ResolveReplicateKey(Call& call);
Answer ReplicateKey(Call& call);

Answer RotateKeyOnDemand(Call& call);
base::Status ValidateRetireGrant(const Call& call);
base::Status ResolveRetireGrant(Call& call);
Answer RetireGrant(Call& call);

base::Status ValidateRevokeGrant(const Call& call);
Answer RevokeGrant(Call& call);

base::Status ValidateScheduleKeyDeletion(const Call& call);
Answer ScheduleKeyDeletion(Call& call);

Answer Sign(Call& call);

base::Status ValidateTagResource(const Call& call);
Answer TagResource(Call& call);
base::Status ValidateUntagResource(const Call& call);
Answer UntagResource(Call& call);

base::Status ResolveUpdateAlias(Call& call);
Answer UpdateAlias(Call& call);

Answer UpdateKeyDescription(Call& call);

base::Status ResolveUpdatePrimaryRegion(Call& call);
Answer UpdatePrimaryRegion(Call& call);

Answer Verify(Call& call);
Answer VerifyMac(Call& call);

// What this server only knows to refuse.
Answer NotForAnyKey(Call& call);

// Our own extensions ("Claviger." + name).
base::Status ResolveServerOperation(Call& call);
base::Status ResolveOperatorOperation(Call& call);  // By the operator alone.
Answer AcceptClock(Call& call);
Answer AddAccount(Call& call);
base::Status ResolveKeyForOperator(Call& call);  // KeyId; likewise.
Answer MoveKey(Call& call);
Answer ResetKeyPolicy(Call& call);
Answer ListAccounts(Call& call);
Answer DeleteCertificates(Call& call);
Answer GetCertificates(Call& call);
Answer ListPkcs11Objects(Call& call);
Answer MakeTransportKey(Call& call);
Answer PutCertificate(Call& call);
Answer ShareWrappingKey(Call& call);
Answer Status(Call& call);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_HANDLERS_H_
