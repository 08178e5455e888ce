// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_XKS_AUTHORIZATION_H_
#define KMS_XKS_AUTHORIZATION_H_

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kms/xks/tenants.h"
#include "kms/xks/wire.h"
#include "policy/request.h"

// The secondary authorization of the XKS proxy API: whether a request that a
// tenant's KMS has signed is one that the tenant's policy allows. What the KMS
// says of its own callers is believed; without a policy everything is allowed.
namespace kms::xks {

// "arn:aws:xks:::team-a/key-1": how policies and records name an external key.
std::string ExternalKeyArn(std::string_view tenant, std::string_view key_id);

// A Verdict is what the policy said, and upon which condition context, for the
// audit log. Not movable: it views itself, the tenant and the request.
struct Verdict {
  Verdict() = default;
  Verdict(const Verdict&) = delete;
  Verdict& operator=(const Verdict&) = delete;

  std::string resource;
  std::vector<policy::ContextEntry> context;
  std::deque<std::string> owned;
  policy::Decision decision;
};

// Fails with kAccessDenied. `tenant` and `metadata` must outlive `verdict`.
base::Status Authorize(const Tenant& tenant, Operation operation,
                       std::string_view key_id, const RequestMetadata& metadata,
                       Verdict& verdict);

}  // namespace kms::xks

#endif  // KMS_XKS_AUTHORIZATION_H_
