// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "tools/claviger/ask.h"
#include "tools/claviger/verb.h"

namespace tools::claviger {
namespace {

constexpr const char* kKey = "KEY";

constexpr auto kOptions = std::to_array<Option>({
    {kKey, "Key id, ARN or alias", OptionKind::kText, true},
});

base::Result<std::string> RenderReset(const base::Json& reply) {
  const auto key = reply.find("KeyId");
  if (key == reply.end() || !key->is_string()) {
    return base::Error{base::ErrorCode::kCorrupt,
                       "the server's reply has no member KeyId"};
  }
  return fmt::format("{} has the default key policy\n",
                     Printable(base::TextOf(*key)));
}

base::Result<int> RunPolicyReset(const Arguments& arguments) {
  const base::Json request = {
      {"KeyId", base::WipingString(*arguments.Text(kKey))}};
  RETURN_IF_ERROR(
      AskAndPrint(arguments, "Claviger.ResetKeyPolicy", request, RenderReset));
  return kExitSuccess;
}

}  // namespace

Verb PolicyResetVerb() {
  return {"policy reset",
          "Gives a key the default key policy, when its own lets nobody in",
          kOptions, RunPolicyReset};
}

}  // namespace tools::claviger
