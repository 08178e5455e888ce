// SPDX-License-Identifier: Apache-2.0
#include "policy/who_can.h"

#include <algorithm>
#include <array>

namespace policy {
namespace {

void AddOnce(std::string text, std::vector<std::string>& texts) {
  if (std::ranges::find(texts, text) == texts.end()) {
    texts.push_back(std::move(text));
  }
}

// What two outlooks of the same policies and grants take differently. Both look
// at every statement; at grants until one opens.
std::vector<std::string> Differences(const Trace& worst, const Trace& best) {
  std::vector<std::string> keys;
  for (std::size_t i = 0;
       i < std::min(worst.statements.size(), best.statements.size()); ++i) {
    const StatementTrace& one = worst.statements[i];
    const StatementTrace& other = best.statements[i];
    if (one.outcome == other.outcome) {
      continue;
    }
    const Condition* const condition =
        one.condition != nullptr ? one.condition : other.condition;
    AddOnce(condition == nullptr ? "Resource" : std::string(condition->key()),
            keys);
  }
  for (std::size_t i = 0; i < std::min(worst.grants.size(), best.grants.size());
       ++i) {
    if (worst.grants[i].outcome != best.grants[i].outcome) {
      AddOnce("constraint of grant " + std::string(best.grants[i].id), keys);
    }
  }
  return keys;
}

Possibility CanDo(const Candidate& candidate, const KnownKeys& known) {
  const auto decide = [&](Outlook outlook, Trace* trace) {
    const Assumption assumption = {known, outlook};
    return Decide(candidate.request, candidate.authority, trace, &assumption);
  };
  const Decision worst = decide(Outlook::kPessimistic, nullptr);
  if (worst.verdict == Verdict::kAllow) {
    return {Can::kYes, worst};
  }
  const Decision best = decide(Outlook::kOptimistic, nullptr);
  if (best.verdict != Verdict::kAllow) {
    return {Can::kNo, best};
  }
  Trace at_worst;
  Trace at_best;
  decide(Outlook::kPessimistic, &at_worst);
  decide(Outlook::kOptimistic, &at_best);
  return {Can::kMaybe, best, Differences(at_worst, at_best)};
}

}  // namespace

std::string_view CanName(Can can) {
  constexpr std::array<std::string_view, 3> kNames = {"no", "maybe", "yes"};
  return kNames.at(static_cast<std::size_t>(can));
}

std::vector<Possibility> WhoCan(std::span<const Candidate> candidates,
                                const KnownKeys& known) {
  std::vector<Possibility> possibilities;
  possibilities.reserve(candidates.size());
  for (const Candidate& candidate : candidates) {
    possibilities.push_back(CanDo(candidate, known));
  }
  return possibilities;
}

}  // namespace policy
