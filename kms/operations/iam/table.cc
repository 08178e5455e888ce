// SPDX-License-Identifier: Apache-2.0
// The IAM API, one row an operation. AWS Identity and Access Management API
// Reference.
#include <algorithm>
#include <array>

#include "kms/operations/iam/handlers.h"
#include "kms/operations/iam/shapes.h"
#include "kms/operations/operation.h"
#include "kms/operations/resolve.h"

namespace kms::operations {
namespace iam {
namespace {

using namespace shapes;

constexpr bool kRequired = true;

constexpr std::array kCreateGroup = {
    Member{"Path", &kPath}, Member{"GroupName", &kGroupName, kRequired}};
constexpr std::array kCreatePolicy = {
    Member{"PolicyName", &kPolicyName, kRequired}, Member{"Path", &kPolicyPath},
    Member{"PolicyDocument", &kDocument, kRequired},
    Member{"Description", &kPolicyDescription}, Member{"Tags", &kTags}};
constexpr std::array kCreatePolicyVersion = {
    Member{"PolicyArn", &kArn, kRequired},
    Member{"PolicyDocument", &kDocument, kRequired},
    Member{"SetAsDefault", &kBoolean}};
constexpr std::array kCreateRole = {
    Member{"Path", &kPath},
    Member{"RoleName", &kRoleName, kRequired},
    Member{"AssumeRolePolicyDocument", &kDocument, kRequired},
    Member{"Description", &kRoleDescription},
    Member{"MaxSessionDuration", &kMaxSessionDuration},
    Member{"PermissionsBoundary", &kArn},
    Member{"Tags", &kTags}};
constexpr std::array kCreateUser = {
    Member{"Path", &kPath}, Member{"UserName", &kUserName, kRequired},
    Member{"PermissionsBoundary", &kArn}, Member{"Tags", &kTags}};
constexpr std::array kDeleteAccessKey = {
    Member{"UserName", &kExistingUserName},
    Member{"AccessKeyId", &kAccessKeyId, kRequired}};
constexpr std::array kGroup = {Member{"GroupName", &kGroupName, kRequired}};
constexpr std::array kGroupAttachment = {
    Member{"GroupName", &kGroupName, kRequired},
    Member{"PolicyArn", &kArn, kRequired}};
constexpr std::array kGroupInlinePolicy = {
    Member{"GroupName", &kGroupName, kRequired},
    Member{"PolicyName", &kPolicyName, kRequired}};
constexpr std::array kList = {Member{"PathPrefix", &kPathPrefix},
                              Member{"Marker", &kMarker},
                              Member{"MaxItems", &kMaxItems}};
constexpr std::array kListAccessKeys = {Member{"UserName", &kExistingUserName},
                                        Member{"Marker", &kMarker},
                                        Member{"MaxItems", &kMaxItems}};
constexpr std::array kListAttachedGroupPolicies = {
    Member{"GroupName", &kGroupName, kRequired},
    Member{"PathPrefix", &kPolicyPath}, Member{"Marker", &kMarker},
    Member{"MaxItems", &kMaxItems}};
constexpr std::array kListAttachedRolePolicies = {
    Member{"RoleName", &kRoleName, kRequired},
    Member{"PathPrefix", &kPolicyPath}, Member{"Marker", &kMarker},
    Member{"MaxItems", &kMaxItems}};
constexpr std::array kListAttachedUserPolicies = {
    Member{"UserName", &kExistingUserName, kRequired},
    Member{"PathPrefix", &kPolicyPath}, Member{"Marker", &kMarker},
    Member{"MaxItems", &kMaxItems}};
constexpr std::array kListEntitiesForPolicy = {
    Member{"PolicyArn", &kArn, kRequired},
    Member{"EntityFilter", &kEntityFilter},
    Member{"PathPrefix", &kPathPrefix},
    Member{"PolicyUsageFilter", &kPolicyUsage},
    Member{"Marker", &kMarker},
    Member{"MaxItems", &kMaxItems}};
constexpr std::array kListOfGroup = {
    Member{"GroupName", &kGroupName, kRequired}, Member{"Marker", &kMarker},
    Member{"MaxItems", &kMaxItems}};
constexpr std::array kListOfRole = {Member{"RoleName", &kRoleName, kRequired},
                                    Member{"Marker", &kMarker},
                                    Member{"MaxItems", &kMaxItems}};
constexpr std::array kListOfUser = {
    Member{"UserName", &kExistingUserName, kRequired},
    Member{"Marker", &kMarker}, Member{"MaxItems", &kMaxItems}};
constexpr std::array kListPolicies = {
    Member{"Scope", &kScope},
    Member{"OnlyAttached", &kBoolean},
    Member{"PathPrefix", &kPolicyPath},
    Member{"PolicyUsageFilter", &kPolicyUsage},
    Member{"Marker", &kMarker},
    Member{"MaxItems", &kMaxItems}};
constexpr std::array kListOfPolicy = {Member{"PolicyArn", &kArn, kRequired},
                                      Member{"Marker", &kMarker},
                                      Member{"MaxItems", &kMaxItems}};
constexpr std::array kMembership = {
    Member{"GroupName", &kGroupName, kRequired},
    Member{"UserName", &kExistingUserName, kRequired}};
constexpr std::array kPolicy = {Member{"PolicyArn", &kArn, kRequired}};
constexpr std::array kPolicyVersion = {
    Member{"PolicyArn", &kArn, kRequired},
    Member{"VersionId", &kVersionId, kRequired}};
constexpr std::array kPutGroupPolicy = {
    Member{"GroupName", &kGroupName, kRequired},
    Member{"PolicyName", &kPolicyName, kRequired},
    Member{"PolicyDocument", &kDocument, kRequired}};
constexpr std::array kPutRolePermissionsBoundary = {
    Member{"RoleName", &kRoleName, kRequired},
    Member{"PermissionsBoundary", &kArn, kRequired}};
constexpr std::array kPutRolePolicy = {
    Member{"RoleName", &kRoleName, kRequired},
    Member{"PolicyName", &kPolicyName, kRequired},
    Member{"PolicyDocument", &kDocument, kRequired}};
constexpr std::array kPutUserPermissionsBoundary = {
    Member{"UserName", &kExistingUserName, kRequired},
    Member{"PermissionsBoundary", &kArn, kRequired}};
constexpr std::array kPutUserPolicy = {
    Member{"UserName", &kExistingUserName, kRequired},
    Member{"PolicyName", &kPolicyName, kRequired},
    Member{"PolicyDocument", &kDocument, kRequired}};
constexpr std::array kRole = {Member{"RoleName", &kRoleName, kRequired}};
constexpr std::array kRoleAttachment = {
    Member{"RoleName", &kRoleName, kRequired},
    Member{"PolicyArn", &kArn, kRequired}};
constexpr std::array kRoleInlinePolicy = {
    Member{"RoleName", &kRoleName, kRequired},
    Member{"PolicyName", &kPolicyName, kRequired}};
constexpr std::array kTagPolicy = {Member{"PolicyArn", &kArn, kRequired},
                                   Member{"Tags", &kTags, kRequired}};
constexpr std::array kTagRole = {Member{"RoleName", &kRoleName, kRequired},
                                 Member{"Tags", &kTags, kRequired}};
constexpr std::array kTagUser = {
    Member{"UserName", &kExistingUserName, kRequired},
    Member{"Tags", &kTags, kRequired}};
constexpr std::array kUntagPolicy = {Member{"PolicyArn", &kArn, kRequired},
                                     Member{"TagKeys", &kTagKeys, kRequired}};
constexpr std::array kUntagRole = {Member{"RoleName", &kRoleName, kRequired},
                                   Member{"TagKeys", &kTagKeys, kRequired}};
constexpr std::array kUntagUser = {
    Member{"UserName", &kExistingUserName, kRequired},
    Member{"TagKeys", &kTagKeys, kRequired}};
constexpr std::array kUpdateAccessKey = {
    Member{"UserName", &kExistingUserName},
    Member{"AccessKeyId", &kAccessKeyId, kRequired},
    Member{"Status", &kStatus, kRequired}};
constexpr std::array kUpdateAssumeRolePolicy = {
    Member{"RoleName", &kRoleName, kRequired},
    Member{"PolicyDocument", &kDocument, kRequired}};
constexpr std::array kUpdateRole = {
    Member{"RoleName", &kRoleName, kRequired},
    Member{"Description", &kRoleDescription},
    Member{"MaxSessionDuration", &kMaxSessionDuration}};
constexpr std::array kUser = {
    Member{"UserName", &kExistingUserName, kRequired}};
constexpr std::array kUserAttachment = {
    Member{"UserName", &kExistingUserName, kRequired},
    Member{"PolicyArn", &kArn, kRequired}};
constexpr std::array kUserInlinePolicy = {
    Member{"UserName", &kExistingUserName, kRequired},
    Member{"PolicyName", &kPolicyName, kRequired}};
constexpr std::array kUserOrCaller = {Member{"UserName", &kExistingUserName}};

constexpr auto kReads = Effect::kReads;
constexpr auto kWrites = Effect::kWrites;

using Validate = decltype(Operation::validate);
using Resolve = decltype(Operation::resolve);
using Run = decltype(Operation::run);

// A row of what is no key's.
constexpr Operation Row(std::string_view name, std::string_view action,
                        std::span<const Member> input, Effect effect,
                        Validate validate, Resolve resolve, Run run) {
  return {.service = "IAM",
          .name = name,
          .action = action,
          .input = input,
          .key_forms = KeyForms::kNone,
          .states = kAnyState,
          .effect = effect,
          .grantable = false,
          .cross_account = false,
          .validate = validate,
          .resolve = resolve,
          .run = run};
}

// clang-format off
constexpr std::array kOperations = {
    Row("AddUserToGroup", "iam:AddUserToGroup", kMembership, kWrites, nullptr, ResolveSubject, AddUserToGroup),
    Row("AttachGroupPolicy", "iam:AttachGroupPolicy", kGroupAttachment, kWrites, nullptr, ResolveSubject, AttachPolicy),
    Row("AttachRolePolicy", "iam:AttachRolePolicy", kRoleAttachment, kWrites, nullptr, ResolveSubject, AttachPolicy),
    Row("AttachUserPolicy", "iam:AttachUserPolicy", kUserAttachment, kWrites, nullptr, ResolveSubject, AttachPolicy),
    Row("CreateAccessKey", "iam:CreateAccessKey", kUserOrCaller, kWrites, ValidateUserName, ResolveSubject, CreateAccessKey),
    Row("CreateGroup", "iam:CreateGroup", kCreateGroup, kWrites, nullptr, ResolveNew, CreateEntity),
    Row("CreatePolicy", "iam:CreatePolicy", kCreatePolicy, kWrites, ValidateTags, ResolveNew, CreateEntity),
    Row("CreatePolicyVersion", "iam:CreatePolicyVersion", kCreatePolicyVersion, kWrites, nullptr, ResolveSubject, CreatePolicyVersion),
    Row("CreateRole", "iam:CreateRole", kCreateRole, kWrites, ValidateTags, ResolveNew, CreateEntity),
    Row("CreateUser", "iam:CreateUser", kCreateUser, kWrites, ValidateTags, ResolveNew, CreateEntity),
    Row("DeleteAccessKey", "iam:DeleteAccessKey", kDeleteAccessKey, kWrites, ValidateUserName, ResolveSubject, DeleteAccessKey),
    Row("DeleteGroup", "iam:DeleteGroup", kGroup, kWrites, nullptr, ResolveSubject, DeleteEntity),
    Row("DeleteGroupPolicy", "iam:DeleteGroupPolicy", kGroupInlinePolicy, kWrites, nullptr, ResolveSubject, DeleteInlinePolicy),
    Row("DeletePolicy", "iam:DeletePolicy", kPolicy, kWrites, nullptr, ResolveSubject, DeletePolicy),
    Row("DeletePolicyVersion", "iam:DeletePolicyVersion", kPolicyVersion, kWrites, nullptr, ResolveSubject, DeletePolicyVersion),
    Row("DeleteRole", "iam:DeleteRole", kRole, kWrites, nullptr, ResolveSubject, DeleteEntity),
    Row("DeleteRolePermissionsBoundary", "iam:DeleteRolePermissionsBoundary", kRole, kWrites, nullptr, ResolveSubject, DeleteBoundary),
    Row("DeleteRolePolicy", "iam:DeleteRolePolicy", kRoleInlinePolicy, kWrites, nullptr, ResolveSubject, DeleteInlinePolicy),
    Row("DeleteUser", "iam:DeleteUser", kUser, kWrites, nullptr, ResolveSubject, DeleteEntity),
    Row("DeleteUserPermissionsBoundary", "iam:DeleteUserPermissionsBoundary", kUser, kWrites, nullptr, ResolveSubject, DeleteBoundary),
    Row("DeleteUserPolicy", "iam:DeleteUserPolicy", kUserInlinePolicy, kWrites, nullptr, ResolveSubject, DeleteInlinePolicy),
    Row("DetachGroupPolicy", "iam:DetachGroupPolicy", kGroupAttachment, kWrites, nullptr, ResolveSubject, DetachPolicy),
    Row("DetachRolePolicy", "iam:DetachRolePolicy", kRoleAttachment, kWrites, nullptr, ResolveSubject, DetachPolicy),
    Row("DetachUserPolicy", "iam:DetachUserPolicy", kUserAttachment, kWrites, nullptr, ResolveSubject, DetachPolicy),
    Row("GetGroup", "iam:GetGroup", kListOfGroup, kReads, nullptr, ResolveSubject, GetGroup),
    Row("GetGroupPolicy", "iam:GetGroupPolicy", kGroupInlinePolicy, kReads, nullptr, ResolveSubject, GetInlinePolicy),
    Row("GetPolicy", "iam:GetPolicy", kPolicy, kReads, nullptr, ResolveSubject, GetPolicy),
    Row("GetPolicyVersion", "iam:GetPolicyVersion", kPolicyVersion, kReads, nullptr, ResolveSubject, GetPolicyVersion),
    Row("GetRole", "iam:GetRole", kRole, kReads, nullptr, ResolveSubject, GetEntity),
    Row("GetRolePolicy", "iam:GetRolePolicy", kRoleInlinePolicy, kReads, nullptr, ResolveSubject, GetInlinePolicy),
    Row("GetUser", "iam:GetUser", kUserOrCaller, kReads, ValidateUserName, ResolveSubject, GetEntity),
    Row("GetUserPolicy", "iam:GetUserPolicy", kUserInlinePolicy, kReads, nullptr, ResolveSubject, GetInlinePolicy),
    Row("ListAccessKeys", "iam:ListAccessKeys", kListAccessKeys, kReads, ValidateUserName, ResolveSubject, ListAccessKeys),
    Row("ListAttachedGroupPolicies", "iam:ListAttachedGroupPolicies", kListAttachedGroupPolicies, kReads, nullptr, ResolveSubject, ListAttachedPolicies),
    Row("ListAttachedRolePolicies", "iam:ListAttachedRolePolicies", kListAttachedRolePolicies, kReads, nullptr, ResolveSubject, ListAttachedPolicies),
    Row("ListAttachedUserPolicies", "iam:ListAttachedUserPolicies", kListAttachedUserPolicies, kReads, nullptr, ResolveSubject, ListAttachedPolicies),
    Row("ListEntitiesForPolicy", "iam:ListEntitiesForPolicy", kListEntitiesForPolicy, kReads, nullptr, ResolveSubject, ListEntitiesForPolicy),
    Row("ListGroupPolicies", "iam:ListGroupPolicies", kListOfGroup, kReads, nullptr, ResolveSubject, ListInlinePolicies),
    Row("ListGroups", "iam:ListGroups", kList, kReads, nullptr, ResolveNothing, ListGroups),
    Row("ListGroupsForUser", "iam:ListGroupsForUser", kListOfUser, kReads, nullptr, ResolveSubject, ListGroupsForUser),
    Row("ListInstanceProfilesForRole", "iam:ListInstanceProfilesForRole", kListOfRole, kReads, nullptr, ResolveSubject, ListInstanceProfilesForRole),
    Row("ListPolicies", "iam:ListPolicies", kListPolicies, kReads, nullptr, ResolveNothing, ListPolicies),
    Row("ListPolicyTags", "iam:ListPolicyTags", kListOfPolicy, kReads, nullptr, ResolveSubject, ListEntityTags),
    Row("ListPolicyVersions", "iam:ListPolicyVersions", kListOfPolicy, kReads, nullptr, ResolveSubject, ListPolicyVersions),
    Row("ListRolePolicies", "iam:ListRolePolicies", kListOfRole, kReads, nullptr, ResolveSubject, ListInlinePolicies),
    Row("ListRoleTags", "iam:ListRoleTags", kListOfRole, kReads, nullptr, ResolveSubject, ListEntityTags),
    Row("ListRoles", "iam:ListRoles", kList, kReads, nullptr, ResolveNothing, ListRoles),
    Row("ListUserPolicies", "iam:ListUserPolicies", kListOfUser, kReads, nullptr, ResolveSubject, ListInlinePolicies),
    Row("ListUserTags", "iam:ListUserTags", kListOfUser, kReads, nullptr, ResolveSubject, ListEntityTags),
    Row("ListUsers", "iam:ListUsers", kList, kReads, nullptr, ResolveNothing, ListUsers),
    Row("PutGroupPolicy", "iam:PutGroupPolicy", kPutGroupPolicy, kWrites, nullptr, ResolveSubject, PutInlinePolicy),
    Row("PutRolePermissionsBoundary", "iam:PutRolePermissionsBoundary", kPutRolePermissionsBoundary, kWrites, nullptr, ResolveSubject, PutBoundary),
    Row("PutRolePolicy", "iam:PutRolePolicy", kPutRolePolicy, kWrites, nullptr, ResolveSubject, PutInlinePolicy),
    Row("PutUserPermissionsBoundary", "iam:PutUserPermissionsBoundary", kPutUserPermissionsBoundary, kWrites, nullptr, ResolveSubject, PutBoundary),
    Row("PutUserPolicy", "iam:PutUserPolicy", kPutUserPolicy, kWrites, nullptr, ResolveSubject, PutInlinePolicy),
    Row("RemoveUserFromGroup", "iam:RemoveUserFromGroup", kMembership, kWrites, nullptr, ResolveSubject, RemoveUserFromGroup),
    Row("SetDefaultPolicyVersion", "iam:SetDefaultPolicyVersion", kPolicyVersion, kWrites, nullptr, ResolveSubject, SetDefaultPolicyVersion),
    Row("TagPolicy", "iam:TagPolicy", kTagPolicy, kWrites, ValidateTags, ResolveSubject, TagEntity),
    Row("TagRole", "iam:TagRole", kTagRole, kWrites, ValidateTags, ResolveSubject, TagEntity),
    Row("TagUser", "iam:TagUser", kTagUser, kWrites, ValidateTags, ResolveSubject, TagEntity),
    Row("UntagPolicy", "iam:UntagPolicy", kUntagPolicy, kWrites, ValidateTagKeys, ResolveSubject, UntagEntity),
    Row("UntagRole", "iam:UntagRole", kUntagRole, kWrites, ValidateTagKeys, ResolveSubject, UntagEntity),
    Row("UntagUser", "iam:UntagUser", kUntagUser, kWrites, ValidateTagKeys, ResolveSubject, UntagEntity),
    Row("UpdateAccessKey", "iam:UpdateAccessKey", kUpdateAccessKey, kWrites, ValidateUserName, ResolveSubject, UpdateAccessKey),
    Row("UpdateAssumeRolePolicy", "iam:UpdateAssumeRolePolicy", kUpdateAssumeRolePolicy, kWrites, nullptr, ResolveSubject, UpdateAssumeRolePolicy),
    Row("UpdateRole", "iam:UpdateRole", kUpdateRole, kWrites, nullptr, ResolveSubject, UpdateRole),
};
// clang-format on
static_assert(std::ranges::is_sorted(kOperations, {}, &Operation::name));

}  // namespace
}  // namespace iam

std::span<const Operation> IamOperations() { return iam::kOperations; }

}  // namespace kms::operations
