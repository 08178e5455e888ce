// SPDX-License-Identifier: Apache-2.0
#include "policy/request.h"

namespace policy {

std::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kAllow:
      return "Allow";
    case Verdict::kExplicitDeny:
      return "ExplicitDeny";
    case Verdict::kImplicitDeny:
      return "ImplicitDeny";
  }
  return "ImplicitDeny";
}

std::string AccessDeniedText(const Request& request, const Decision& decision) {
  std::string text = "User: ";
  text.append(request.principal)
      .append(" is not authorized to perform: ")
      .append(request.action)
      .append(" on resource: ")
      .append(request.resource);
  if (decision.reason.empty()) {
    return text;
  }
  const bool explicit_deny = decision.reason.starts_with("with ");
  text.append(explicit_deny ? " " : " because ").append(decision.reason);
  if (decision.reason.ends_with("allows the")) {
    text.append(" ").append(request.action).append(" action");
  }
  return text;
}

}  // namespace policy
