// SPDX-License-Identifier: Apache-2.0
#include "policy/who_can.h"

#include <array>

namespace policy {
namespace {

Possibility CanDo(const Candidate& candidate, const KnownKeys& known) {
  const auto decide = [&](Reading reading) {
    const Assumption assumption = {known, reading};
    return Decide(candidate.request, candidate.authority, nullptr, &assumption);
  };
  const Decision worst = decide(Reading::kPessimistic);
  if (worst.verdict == Verdict::kAllow) {
    return {Can::kYes, worst};
  }
  const Decision best = decide(Reading::kOptimistic);
  return {best.verdict == Verdict::kAllow ? Can::kMaybe : Can::kNo, best};
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
