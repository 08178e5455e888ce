// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_DRY_RUN_H_
#define KMS_OPERATIONS_DRY_RUN_H_

#include <string_view>

#include "base/result.h"
#include "kms/operations/call.h"

// AWS KMS API Reference, DryRun and DryRunModifiers.
namespace kms::operations {

// The error with which a dry run ends that would have succeeded.
base::Error DryRunSucceeded();

// Whether this is a dry run that asks about authorization only.
bool IgnoresCiphertext(const Call& call);

// CiphertextBlob is required but in a dry run that ignores it, which needs the
// key in member `key_member` instead.
base::Status RequireCiphertext(const Call& call, std::string_view key_member);

// Attested recipients (Nitro enclaves) are not supported.
base::Status RefuseRecipient(const Call& call);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_DRY_RUN_H_
