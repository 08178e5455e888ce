// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <nlohmann/json.hpp>

#include "tools/claviger/ask.h"
#include "tools/claviger/explain_replies.h"
#include "tools/claviger/verb.h"

namespace tools::claviger {
namespace {

constexpr const char* kAction = "ACTION";
constexpr const char* kKey = "KEY";

constexpr auto kOptions = std::to_array<Option>({
    {kAction, "The permission, such as kms:Decrypt", OptionKind::kText, true},
    {kKey, "Key id, ARN or alias", OptionKind::kText, true},
    {kJsonOption, "Print the replies as they are, one a line",
     OptionKind::kFlag},
});

base::Result<int> RunPolicyWhoCan(const Arguments& arguments) {
  base::Json request = {
      {"Action", base::WipingString(*arguments.Text(kAction))},
      {"KeyId", base::WipingString(*arguments.Text(kKey))}};
  RETURN_IF_ERROR(AskForPages(arguments, "Claviger.WhoCan", std::move(request),
                              RenderWhoCan));
  return kExitSuccess;
}

}  // namespace

Verb PolicyWhoCanVerb() {
  return {"policy who-can", "Lists who can do something with a key, or might",
          kOptions, RunPolicyWhoCan};
}

}  // namespace tools::claviger
