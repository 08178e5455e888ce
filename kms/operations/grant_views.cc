// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/grant_views.h"

namespace kms::operations {
namespace {

std::vector<policy::ContextPair> PairsOf(const ContextPairs& pairs) {
  std::vector<policy::ContextPair> views;
  views.reserve(pairs.size());
  for (const auto& [key, value] : pairs) {
    views.push_back({key, value});
  }
  return views;
}

}  // namespace

void GrantViews::Add(const Grant& grant, bool covers_child) {
  using Constraint = policy::Grant::Constraint;
  const GrantConstraints& constraints = grant.constraints;
  policy::Grant view;
  view.id = grant.id;
  view.grantee = grant.grantee_service.empty() ? grant.grantee_principal
                                               : grant.grantee_service;
  view.grantee_id = grant.grantee_id;
  grant.operations.ForEachName([&view](std::string_view name) {
    view.operations |= policy::KmsActionBit(name);
  });
  if (constraints.context_equals) {
    view.constraint = Constraint::kEquals;
    view.pairs = pairs_.emplace_back(PairsOf(*constraints.context_equals));
  } else if (constraints.context_subset) {
    view.constraint = Constraint::kSubset;
    view.pairs = pairs_.emplace_back(PairsOf(*constraints.context_subset));
  }
  view.source_arn = constraints.source_arn;
  view.covers_child = covers_child;
  view.retiring = grant.retiring_service.empty() ? grant.retiring_principal
                                                 : grant.retiring_service;
  view.retiring_id = grant.retiring_id;
  view.issuing_account = grant.issuing_account;
  views_.push_back(view);
}

}  // namespace kms::operations
