// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "tools/claviger/ask.h"
#include "tools/claviger/explain_replies.h"
#include "tools/claviger/verb.h"

namespace tools::claviger {
namespace {

constexpr const char* kNewPolicy = "--new-policy";
constexpr const char* kKey = "--key";
constexpr const char* kSince = "--since";
constexpr std::size_t kMostPolicyBytes = 128U << 10;

constexpr auto kOptions = std::to_array<Option>({
    {kNewPolicy, "File with the key policy to try; '-' is standard input",
     OptionKind::kText, true},
    {kKey, "Key id, ARN or alias", OptionKind::kText, true},
    {kSince, "From when on: 30d, 12h, 45m, or seconds since 1970",
     OptionKind::kText, true},
    {kJsonOption, "Print the replies as they are, one a line",
     OptionKind::kFlag},
});

base::Result<int> RunPolicyReplay(const Arguments& arguments) {
  const auto now =
      std::chrono::floor<std::chrono::seconds>(base::RealClock().Now())
          .time_since_epoch()
          .count();
  ASSIGN_OR_RETURN(const std::int64_t since,
                   ParseSince(*arguments.Text(kSince), now));
  ASSIGN_OR_RETURN(const base::WipingString policy,
                   ReadText(*arguments.Text(kNewPolicy), kMostPolicyBytes));
  base::Json request = {{"KeyId", base::WipingString(*arguments.Text(kKey))},
                        {"NewPolicy", policy},
                        {"Since", since}};
  RETURN_IF_ERROR(AskForPages(arguments, "Claviger.ReplayPolicy",
                              std::move(request), RenderReplay));
  return kExitSuccess;
}

}  // namespace

Verb PolicyReplayVerb() {
  return {"policy replay",
          "Says which requests of the audit log a new key policy would answer "
          "otherwise",
          kOptions, RunPolicyReplay};
}

}  // namespace tools::claviger
