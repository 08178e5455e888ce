// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_IAM_SHAPES_H_
#define KMS_OPERATIONS_IAM_SHAPES_H_

#include <array>
#include <string_view>

#include "kms/operations/shape.h"
#include "kms/operations/shapes.h"

// The shapes of the IAM API model (2010-05-08) that our operations take.
namespace kms::operations::iam::shapes {

using namespace std::string_view_literals;

bool IsName(std::string_view value);
bool IsPath(std::string_view value);
bool IsPathPrefix(std::string_view value);
bool IsPolicyPath(std::string_view value);
bool IsRoleDescription(std::string_view value);
bool IsTagKey(std::string_view value);
bool IsTagValue(std::string_view value);
bool IsWord(std::string_view value);
bool IsVersionId(std::string_view value);

inline constexpr Pattern kNamePattern = {"[\\w+=,.@-]+", IsName};
inline constexpr Pattern kPathPattern = {
    "(\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)", IsPath};
inline constexpr Pattern kPathPrefixPattern = {"\\u002F[\\u0021-\\u007F]*",
                                               IsPathPrefix};
inline constexpr Pattern kPolicyPathPattern = {"((/[A-Za-z0-9\\.,\\+@=_-]+)*)/",
                                               IsPolicyPath};
inline constexpr Pattern kRoleDescriptionPattern = {
    "[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u00A1-\\u00FF]*",
    IsRoleDescription};
inline constexpr Pattern kTagKeyPattern = {"[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+",
                                           IsTagKey};
inline constexpr Pattern kTagValuePattern = {"[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*",
                                             IsTagValue};
inline constexpr Pattern kWordPattern = {"[\\w]+", IsWord};
inline constexpr Pattern kVersionIdPattern = {"v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?",
                                              IsVersionId};

inline constexpr std::array kStatuses = {"Active"sv, "Inactive"sv};
inline constexpr std::array kScopes = {"All"sv, "AWS"sv, "Local"sv};
inline constexpr std::array kEntityFilters = {"User"sv, "Role"sv, "Group"sv,
                                              "LocalManagedPolicy"sv,
                                              "AWSManagedPolicy"sv};
inline constexpr std::array kPolicyUsages = {"PermissionsPolicy"sv,
                                             "PermissionsBoundary"sv};

using operations::shapes::kBoolean;

inline constexpr Shape kUserName = {
    .min = 1, .max = 64, .pattern = &kNamePattern};
inline constexpr Shape kExistingUserName = {
    .min = 1, .max = 128, .pattern = &kNamePattern};
inline constexpr Shape kRoleName = {
    .min = 1, .max = 64, .pattern = &kNamePattern};
inline constexpr Shape kGroupName = {
    .min = 1, .max = 128, .pattern = &kNamePattern};
inline constexpr Shape kPolicyName = {
    .min = 1, .max = 128, .pattern = &kNamePattern};
inline constexpr Shape kPath = {.min = 1, .max = 512, .pattern = &kPathPattern};
inline constexpr Shape kPathPrefix = {
    .min = 1, .max = 512, .pattern = &kPathPrefixPattern};
inline constexpr Shape kPolicyPath = {
    .min = 1, .max = 512, .pattern = &kPolicyPathPattern};
inline constexpr Shape kArn = {.min = 20, .max = 2048};
inline constexpr Shape kDocument = {
    .min = 1, .max = 131072, .pattern = &operations::shapes::kPolicyPattern};
inline constexpr Shape kPolicyDescription = {.min = 0, .max = 1000};
inline constexpr Shape kRoleDescription = {
    .min = 0, .max = 1000, .pattern = &kRoleDescriptionPattern};
inline constexpr Shape kMaxSessionDuration = {
    .type = Type::kInteger, .min = 3600, .max = 43200};
inline constexpr Shape kAccessKeyId = {
    .min = 16, .max = 128, .pattern = &kWordPattern};
inline constexpr Shape kStatus = {.values = kStatuses};
inline constexpr Shape kVersionId = {.pattern = &kVersionIdPattern};
inline constexpr Shape kScope = {.values = kScopes};
inline constexpr Shape kEntityFilter = {.values = kEntityFilters};
inline constexpr Shape kPolicyUsage = {.values = kPolicyUsages};
inline constexpr Shape kMarker = {
    .min = 1, .max = 1024, .pattern = &operations::shapes::kMarkerPattern};
inline constexpr Shape kMaxItems = {
    .type = Type::kInteger, .min = 1, .max = 1000};

inline constexpr Shape kTagKey = {
    .min = 1, .max = 128, .pattern = &kTagKeyPattern};
inline constexpr Shape kTagValue = {
    .min = 0, .max = 256, .pattern = &kTagValuePattern};
inline constexpr std::array kTagMembers = {Member{"Key", &kTagKey, true},
                                           Member{"Value", &kTagValue, true}};
inline constexpr Shape kTag = {.type = Type::kStructure,
                               .members = kTagMembers};
inline constexpr Shape kTags = {
    .type = Type::kList, .min = 0, .max = 50, .item = &kTag};
inline constexpr Shape kTagKeys = {
    .type = Type::kList, .min = 0, .max = 50, .item = &kTagKey};

}  // namespace kms::operations::iam::shapes

#endif  // KMS_OPERATIONS_IAM_SHAPES_H_
