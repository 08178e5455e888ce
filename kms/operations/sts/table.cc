// SPDX-License-Identifier: Apache-2.0
// AWS STS, one row an operation. AWS Security Token Service API Reference.
#include <algorithm>
#include <array>
#include <string_view>

#include "kms/operations/operation.h"
#include "kms/operations/sts/handlers.h"

namespace kms::operations {
namespace {

bool IsSessionName(std::string_view value) {
  return std::ranges::all_of(value, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c >= '0' && c <= '9') ||
           std::string_view("_+=,.@-").find(c) != std::string_view::npos;
  });
}

bool IsExternalId(std::string_view value) {
  std::string rest(value);
  std::erase_if(rest, [](char c) { return c == ':' || c == '/'; });
  return IsSessionName(rest);
}

constexpr bool kRequired = true;

constexpr Pattern kSessionNamePattern = {"[\\w+=,.@-]*", IsSessionName};
constexpr Pattern kExternalIdPattern = {"[\\w+=,.@:\\/-]*", IsExternalId};

constexpr Shape kArn = {.min = 20, .max = 2048};
constexpr Shape kSessionName = {
    .min = 2, .max = 64, .pattern = &kSessionNamePattern};
constexpr Shape kExternalId = {
    .min = 2, .max = 1224, .pattern = &kExternalIdPattern};
constexpr Shape kSessionPolicy = {.min = 1};
constexpr Shape kRoleSeconds = {
    .type = Type::kInteger, .min = 900, .max = 43200};
constexpr Shape kUserSeconds = {
    .type = Type::kInteger, .min = 900, .max = 129600};
constexpr Shape kTagKey = {.min = 1, .max = 128};
constexpr Shape kTagValue = {.min = 0, .max = 256};
constexpr std::array kTagMembers = {Member{"Key", &kTagKey, kRequired},
                                    Member{"Value", &kTagValue, kRequired}};
constexpr Shape kTag = {.type = Type::kStructure, .members = kTagMembers};
constexpr Shape kTags = {
    .type = Type::kList, .max = 50, .item = &kTag, .audited = false};
constexpr Shape kTagKeys = {.type = Type::kList, .max = 50, .item = &kTagKey};
constexpr std::array kPolicyArnMembers = {Member{"arn", &kArn, kRequired}};
constexpr Shape kPolicyArn = {.type = Type::kStructure,
                              .members = kPolicyArnMembers};
constexpr Shape kPolicyArns = {
    .type = Type::kList, .item = &kPolicyArn, .audited = false};
constexpr Shape kToken = {.min = 4, .max = 20000, .audited = false};
constexpr Shape kSerialNumber = {.min = 9, .max = 256};
constexpr Shape kTokenCode = {.min = 6, .max = 6, .audited = false};

constexpr std::array kAssumeRole = {
    Member{"RoleArn", &kArn, kRequired},
    Member{"RoleSessionName", &kSessionName, kRequired},
    Member{"PolicyArns", &kPolicyArns},
    Member{"Policy", &kSessionPolicy},
    Member{"DurationSeconds", &kRoleSeconds},
    Member{"Tags", &kTags},
    Member{"TransitiveTagKeys", &kTagKeys},
    Member{"ExternalId", &kExternalId},
    Member{"SerialNumber", &kSerialNumber},
    Member{"TokenCode", &kTokenCode},
    Member{"SourceIdentity", &kSessionName}};
constexpr std::array kAssumeRoleWithWebIdentity = {
    Member{"RoleArn", &kArn, kRequired},
    Member{"RoleSessionName", &kSessionName, kRequired},
    Member{"WebIdentityToken", &kToken, kRequired},
    Member{"PolicyArns", &kPolicyArns},
    Member{"Policy", &kSessionPolicy},
    Member{"DurationSeconds", &kRoleSeconds}};
constexpr std::array kGetSessionToken = {
    Member{"DurationSeconds", &kUserSeconds},
    Member{"SerialNumber", &kSerialNumber}, Member{"TokenCode", &kTokenCode}};

// clang-format off
constexpr std::array kOperations = {
    Operation{"STS", "AssumeRole", "sts:AssumeRole", kAssumeRole, KeyForms::kNone, kAnyState, Effect::kReads, false, true, nullptr, ResolveAssumeRole, AssumeRole},
    Operation{"STS", "AssumeRoleWithWebIdentity", "sts:AssumeRoleWithWebIdentity", kAssumeRoleWithWebIdentity, KeyForms::kNone, kAnyState, Effect::kReads, false, true, nullptr, ResolveAssumeRoleWithWebIdentity, AssumeRoleWithWebIdentity},
    Operation{"STS", "GetCallerIdentity", "sts:GetCallerIdentity", {}, KeyForms::kNone, kAnyState, Effect::kReads, false, false, nullptr, ResolveGetCallerIdentity, GetCallerIdentity},
    Operation{"STS", "GetSessionToken", "sts:GetSessionToken", kGetSessionToken, KeyForms::kNone, kAnyState, Effect::kReads, false, false, nullptr, ResolveGetSessionToken, GetSessionToken},
};
// clang-format on

}  // namespace

std::span<const Operation> StsOperations() { return kOperations; }

}  // namespace kms::operations
