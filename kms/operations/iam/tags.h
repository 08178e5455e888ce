// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_IAM_TAGS_H_
#define KMS_OPERATIONS_IAM_TAGS_H_

#include <string_view>
#include <vector>

#include "base/result.h"
#include "kms/model.h"
#include "kms/store/identities.h"

// IAM User Guide, "Tags for AWS Identity and Access Management resources".
namespace kms::operations::iam {

// Puts them beside the tags that the entity has, in whose place they come if
// the keys differ in case only. Fails with kLimitExceeded.
base::Status PutTags(store::Identities& identities, std::string_view entity_id,
                     const std::vector<Tag>& tags);

}  // namespace kms::operations::iam

#endif  // KMS_OPERATIONS_IAM_TAGS_H_
