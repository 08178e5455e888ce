// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <nlohmann/json.hpp>

#include "tools/claviger/ask.h"
#include "tools/claviger/explain_replies.h"
#include "tools/claviger/explanation.h"
#include "tools/claviger/verb.h"

namespace tools::claviger {
namespace {

constexpr const char* kPrincipal = "--principal";
constexpr const char* kAction = "--action";
constexpr const char* kKey = "--key";
constexpr const char* kContext = "--context";

constexpr auto kOptions = std::to_array<Option>({
    {kPrincipal,
     "ARN of a user, a role, a session of a role or an account's root, or the "
     "name of a service",
     OptionKind::kText, true},
    {kAction, "The permission, such as kms:Decrypt", OptionKind::kText, true},
    {kKey, "Key id, ARN or alias; without it, on no key"},
    {kContext,
     "KEY=VALUE of a condition key, again for each value; in place of what the "
     "server would take",
     OptionKind::kList},
    {kJsonOption, "Print the reply as it is", OptionKind::kFlag},
});

base::Result<int> RunPolicySimulate(const Arguments& arguments) {
  base::Json request = {
      {"PrincipalArn", base::WipingString(*arguments.Text(kPrincipal))},
      {"Action", base::WipingString(*arguments.Text(kAction))}};
  if (const auto key = arguments.Text(kKey)) {
    request["KeyId"] = base::WipingString(*key);
  }
  ASSIGN_OR_RETURN(request["Context"], ContextOf(arguments.List(kContext)));
  RETURN_IF_ERROR(AskAndPrint(arguments, "Claviger.SimulatePolicy", request,
                              RenderExplanation));
  return kExitSuccess;
}

}  // namespace

Verb PolicySimulateVerb() {
  return {"policy simulate",
          "Says how the server would decide a request, and why, without making "
          "it",
          kOptions, RunPolicySimulate};
}

}  // namespace tools::claviger
