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

}  // namespace policy
