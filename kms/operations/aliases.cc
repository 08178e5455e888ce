// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/aliases.h"

#include <fmt/format.h>

#include "kms/key_id.h"
#include "kms/operations/resolve.h"

namespace kms::operations {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kPrefix = "alias/";
constexpr std::string_view kReserved = "alias/aws/";

}  // namespace

base::Status CheckAliasName(std::string_view name) {
  if (!name.starts_with(kPrefix)) {
    return Error{ErrorCode::kValidation,
                 "Alias must start with the prefix \"alias/\". Please see "
                 "https://docs.aws.amazon.com/kms/latest/developerguide/"
                 "kms-alias.html"};
  }
  if (name.starts_with(kReserved)) {
    return Error{ErrorCode::kNotAuthorized, ""};
  }
  // The shape's pattern allows colons; the service does not.
  if (name.size() == kPrefix.size() ||
      name.find(':') != std::string_view::npos) {
    return Error{
        ErrorCode::kValidation,
        fmt::format("{} contains invalid characters for an alias", name)};
  }
  return {};
}

base::Result<KeyPtr> FindTargetKey(Call& call) {
  const std::string_view target = *call.Text("TargetKeyId");
  ASSIGN_OR_RETURN(const KeyReference reference, ParseKeyReference(target));
  if (reference.is_alias) {
    return Error{ErrorCode::kValidation,
                 "Aliases must refer to keys. Not aliases"};
  }
  return FindKey(call, target, KeyForms::kIdOrArn);
}

base::Error NoSuchAlias(const Call& call, std::string_view name) {
  return {ErrorCode::kNotFound,
          fmt::format("Alias {} is not found.",
                      AliasArn(call.request.region, call.request.caller.account,
                               name))};
}

}  // namespace kms::operations
