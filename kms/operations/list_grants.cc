// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/grants.h"
#include "kms/operations/handlers.h"
#include "kms/operations/page.h"

namespace kms::operations {
namespace {

constexpr int kDefaultLimit = 50;
constexpr int kMaxLimit = 100;

}  // namespace

base::Status ValidateListGrants(const Call& call) {
  RETURN_IF_ERROR(CheckLimit(call, kMaxLimit));
  RETURN_IF_ERROR(CheckGrantId(call));
  return CheckOneOf(call, "GranteePrincipal", "GranteeServicePrincipal", false);
}

Answer ListGrants(Call& call) {
  CO_ASSIGN_OR_RETURN(const PageRequest page, ReadPage(call, kDefaultLimit));
  store::GrantQuery query;
  query.key_row_id = call.key->row_id;
  query.grant_id = call.Text("GrantId").value_or("");
  query.grantee_principal = call.Text("GranteePrincipal").value_or("");
  query.grantee_service = call.Text("GranteeServicePrincipal").value_or("");
  query.after = page.after;
  query.limit = page.limit;
  CO_ASSIGN_OR_RETURN(const auto grants,
                      call.environment.store.ListGrants(query));
  co_return GrantList(call, grants);
}

}  // namespace kms::operations
