// SPDX-License-Identifier: Apache-2.0
#include "kms/managed_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "policy/decide.h"

namespace kms {
namespace {

constexpr std::string_view kServiceSuffix = ".amazonaws.com";

// What the two statements of the policy allow. A star stands for any ending.
constexpr std::array<std::string_view, 6> kForUse = {
    "kms:Encrypt",          "kms:Decrypt",     "kms:ReEncrypt*",
    "kms:GenerateDataKey*", "kms:CreateGrant", "kms:DescribeKey"};
constexpr std::array<std::string_view, 4> kForLooking = {
    "kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"};

bool Includes(std::span<const std::string_view> patterns,
              std::string_view action) {
  return std::ranges::any_of(patterns, [action](std::string_view pattern) {
    return pattern.ends_with('*')
               ? action.starts_with(pattern.substr(0, pattern.size() - 1))
               : action == pattern;
  });
}

std::string Listed(std::span<const std::string_view> actions) {
  return fmt::format("\"{}\"", fmt::join(actions, "\", \""));
}

// "s3" of "s3.amazonaws.com".
std::string_view NameOf(std::string_view service) {
  return service.substr(0, service.find('.'));
}

policy::Decision DeniedByKeyPolicy() {
  return {.layer = "resource-based policy",
          .reason = "no resource-based policy allows the"};
}

bool IsOwnKey(const Caller& caller, const policy::Request& request) {
  return caller.kind == CallerKind::kService && !caller.service.empty() &&
         request.resource_service == caller.service &&
         request.resource_account == caller.account;
}

}  // namespace

std::string ManagedKeyAlias(std::string_view service) {
  const std::string_view name = NameOf(service);
  return fmt::format("alias/aws/{}", name == "ec2" ? "ebs" : name);
}

std::string ViaService(std::string_view service, std::string_view region) {
  return fmt::format("{}.{}{}", NameOf(service), region, kServiceSuffix);
}

std::string ManagedKeyPolicy(std::string_view service, std::string_view account,
                             std::string_view region) {
  const std::string alias = ManagedKeyAlias(service);
  const std::string_view name =
      std::string_view(alias).substr(std::string_view("alias/aws/").size());
  return fmt::format(
      R"({{
  "Version" : "2012-10-17",
  "Id" : "auto-{0}-1",
  "Statement" : [ {{
    "Sid" : "Allow access through {1} for all principals in the account that are authorized to use {1}",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "*"
    }},
    "Action" : [ {2} ],
    "Resource" : "*",
    "Condition" : {{
      "StringEquals" : {{
        "kms:CallerAccount" : "{3}",
        "kms:ViaService" : "{4}"
      }}
    }}
  }}, {{
    "Sid" : "Allow direct access to key metadata to the account",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "arn:aws:iam::{3}:root"
    }},
    "Action" : [ {5} ],
    "Resource" : "*"
  }} ]
}})",
      name, service, Listed(kForUse), account, ViaService(service, region),
      Listed(kForLooking));
}

policy::Decision ManagedKeyRules::Authorize(const Caller& caller,
                                            const policy::Request& request,
                                            const policy::Authority& resource,
                                            policy::Trace* trace) const {
  if (IsOwnKey(caller, request)) {
    return Includes(kForUse, request.action)
               ? policy::Decision{.verdict = policy::Verdict::kAllow,
                                  .layer = "resource-based policy"}
               : DeniedByKeyPolicy();
  }
  return others_.Authorize(caller, request, resource, trace);
}

}  // namespace kms
