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
constexpr const char* kPlacement = "--placement";

constexpr auto kOptions = std::to_array<Option>({
    {kKey, "Key id, ARN or alias", OptionKind::kText, true},
    {kPlacement, "Where it goes: resident or wrapped", OptionKind::kText, true},
});

base::Result<std::string> RenderMove(const base::Json& reply) {
  const auto key = reply.find("KeyId");
  if (key == reply.end() || !key->is_string()) {
    return base::Error{base::ErrorCode::kCorrupt,
                       "the server's reply has no member KeyId"};
  }
  return fmt::format("{} is there\n", Printable(base::TextOf(*key)));
}

base::Result<int> RunKeyMove(const Arguments& arguments) {
  const base::Json request = {
      {"KeyId", base::WipingString(*arguments.Text(kKey))},
      {"Placement", base::WipingString(*arguments.Text(kPlacement))}};
  RETURN_IF_ERROR(
      AskAndPrint(arguments, "Claviger.MoveKey", request, RenderMove));
  return kExitSuccess;
}

}  // namespace

Verb KeyMoveVerb() {
  return {"key move",
          "Moves a key to the token (resident) or out of it (wrapped)",
          kOptions, RunKeyMove};
}

}  // namespace tools::claviger
