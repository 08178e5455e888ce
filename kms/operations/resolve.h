// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_RESOLVE_H_
#define KMS_OPERATIONS_RESOLVE_H_

#include <string_view>

#include "base/result.h"
#include "kms/operations/call.h"

// The ways in which operations find the keys that they are about. Each fills
// the call's keys and its checks. Errors are AWS's: AWS KMS Developer Guide,
// "Key identifiers (KeyId)".
namespace kms::operations {

// An operation without a key: one check, on "*" in the caller's account.
base::Status ResolveNothing(Call& call);

// The key in member KeyId.
base::Status ResolveKeyId(Call& call);

// The key in KeyId if it is given; otherwise like ResolveNothing.
base::Status ResolveOptionalKeyId(Call& call);

// The key that `text` names for this call, in the operation's key forms.
base::Result<KeyPtr> FindKey(Call& call, std::string_view text, KeyForms forms);

// The key with the id `id` in `region`, if it is there. One of another account
// that is not there is reported as one that the caller may not use.
base::Result<KeyPtr> FindKeyInRegion(Call& call, std::string_view region,
                                     std::string_view account,
                                     std::string_view id);

// AWS's answer to the id of a key that does not exist.
base::Error NoSuchKey(std::string_view region, std::string_view account,
                      std::string_view id);

// The key that made `ciphertext`, which must be the one that `key_text` names
// if it is given. Checks are left to the caller.
base::Result<KeyPtr> FindCiphertextKey(
    Call& call, const Ciphertext& ciphertext,
    std::optional<std::string_view> key_text);

// Adds the check of `action` on `key`, which may be in `states`.
void AddKeyCheck(Call& call, std::string_view action, const KeyPtr& key,
                 States states);

// Adds the check of `action` on the alias itself, which has no policy.
void AddAliasCheck(Call& call, std::string_view action, std::string_view name);

// kAccessDenied with AWS's sentence for the caller of `call`.
base::Error AccessDenied(const Call& call, const Check& check,
                         const policy::Decision& decision);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_RESOLVE_H_
