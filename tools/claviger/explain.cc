// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <nlohmann/json.hpp>

#include "tools/claviger/ask.h"
#include "tools/claviger/explain_replies.h"
#include "tools/claviger/verb.h"

namespace tools::claviger {
namespace {

constexpr const char* kEvent = "--event";

constexpr auto kOptions = std::to_array<Option>({
    {kEvent, "The eventID of the request in the audit log", OptionKind::kText,
     true},
    {kJsonOption, "Print the reply as it is", OptionKind::kFlag},
});

base::Result<int> RunExplain(const Arguments& arguments) {
  const base::Json request = {
      {"EventId", base::WipingString(*arguments.Text(kEvent))}};
  RETURN_IF_ERROR(
      AskAndPrint(arguments, "Claviger.Explain", request, RenderEvent));
  return kExitSuccess;
}

}  // namespace

Verb ExplainVerb() {
  return {"explain",
          "Says why a request of the audit log is allowed or denied by the "
          "policies of now",
          kOptions, RunExplain};
}

}  // namespace tools::claviger
