// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/grants.h"
#include "kms/operations/handlers.h"
#include "kms/operations/page.h"

namespace kms::operations {
namespace {

constexpr int kDefaultLimit = 50;
constexpr int kMaxLimit = 100;

}  // namespace

base::Status ValidateListRetirableGrants(const Call& call) {
  RETURN_IF_ERROR(CheckLimit(call, kMaxLimit));
  RETURN_IF_ERROR(
      CheckOneOf(call, "RetiringPrincipal", "RetiringServicePrincipal", true));
  return CheckPrincipal(call, "RetiringPrincipal");
}

// The resource is the principal, who decides in their own account.
base::Status ResolveListRetirableGrants(Call& call) {
  Check check;
  check.action = call.operation.action;
  check.resource = call.Text("RetiringPrincipal").value_or("*");
  check.account =
      AccountOfPrincipal(check.resource).value_or(call.request.caller.account);
  call.checks.push_back(std::move(check));
  return {};
}

Answer ListRetirableGrants(Call& call) {
  CO_ASSIGN_OR_RETURN(const PageRequest page, ReadPage(call, kDefaultLimit));
  store::GrantQuery query;
  query.region = call.request.region;
  query.retiring_principal = call.Text("RetiringPrincipal").value_or("");
  query.retiring_service = call.Text("RetiringServicePrincipal").value_or("");
  if (query.retiring_principal.empty()) {
    // A service is nobody's principal: each account sees what it has issued.
    query.issuing_account = call.request.caller.account;
  }
  query.after = page.after;
  query.limit = page.limit;
  CO_ASSIGN_OR_RETURN(const auto grants,
                      call.environment.store.ListGrants(query));
  co_return GrantList(call, grants);
}

}  // namespace kms::operations
