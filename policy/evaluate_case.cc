// SPDX-License-Identifier: Apache-2.0
#include "policy/evaluate_case.h"

#include <algorithm>
#include <array>
#include <list>
#include <span>
#include <vector>

#include "base/json.h"
#include "policy/decide.h"
#include "policy/json.h"
#include "policy/text.h"

namespace policy {
namespace {

constexpr std::array<std::string_view, 8> kCaseMembers = {
    "id",
    "identityPolicies",
    "permissionBoundaries",
    "request",
    "resourceControlPolicies",
    "resourcePolicy",
    "serviceControlPolicies",
    "sessionPolicy"};
constexpr std::array<std::string_view, 4> kRequestMembers = {
    "action", "context", "principal", "resource"};
constexpr std::array<std::string_view, 2> kResourceMembers = {"accountId",
                                                              "resource"};
constexpr std::array<std::string_view, 2> kNamedPolicyMembers = {"name",
                                                                 "policy"};
constexpr std::array<std::string_view, 2> kLevelMembers = {"orgIdentifier",
                                                           "policies"};

base::Error Bad(std::string message) {
  return {base::ErrorCode::kInvalidArgument, std::move(message)};
}

// A case as it is read: everything views the line.
class Case {
 public:
  explicit Case(const JsonText& json) : json_(json) {}

  base::Status Read(const JsonNode& root);
  Decision Decide() const { return policy::Decide(request_, authority_); }

 private:
  using Policies = std::vector<const Policy*>;
  struct Levels {
    std::list<Policies> policies;
    std::vector<PolicySet> sets;
  };

  base::Status CheckMembers(const JsonNode& object,
                            std::span<const std::string_view> known,
                            std::string_view where) const;
  // The member, if it is there and not null.
  const JsonNode* Find(const JsonNode& object, std::string_view name) const;
  base::Result<std::string_view> Text(const JsonNode& object,
                                      std::string_view name) const;

  base::Status ReadRequest(const JsonNode& root);
  base::Status ReadPrincipal(const JsonNode& request);
  base::Status ReadResource(const JsonNode& request);
  base::Status ReadContext(const JsonNode& request);
  base::Status AddValues(const JsonNode& key);
  void FindIssuer();

  base::Status ReadAuthority(const JsonNode& root);
  base::Status Compile(PolicyKind kind, const JsonNode& node, Policies& out);
  base::Status ReadPolicies(PolicyKind kind, const JsonNode& parent,
                            std::string_view name, Policies& out);
  base::Status ReadLevels(PolicyKind kind, const JsonNode& root,
                          std::string_view name, Levels& out);
  base::Status ReadOne(PolicyKind kind, const JsonNode& root,
                       std::string_view name, Policies& out);

  const JsonText& json_;
  Request request_;
  std::vector<ContextEntry> context_;
  Authority authority_;
  std::list<Policy> compiled_;
  Policies identity_;
  Policies boundary_;
  Policies session_;
  Policies resource_;
  Levels service_control_;
  Levels resource_control_;
};

base::Status Case::CheckMembers(const JsonNode& object,
                                std::span<const std::string_view> known,
                                std::string_view where) const {
  if (!object.is_object()) {
    return Bad(std::string(where) + " must be an object");
  }
  const JsonNode* unknown = nullptr;
  json_.AllOf(object, [&](const JsonNode& member) {
    const bool good = std::ranges::binary_search(known, member.key);
    unknown = good ? nullptr : &member;
    return good;
  });
  if (unknown != nullptr) {
    return Bad("unknown member '" + std::string(unknown->key) + "' in " +
               std::string(where));
  }
  return {};
}

const JsonNode* Case::Find(const JsonNode& object,
                           std::string_view name) const {
  const JsonNode* const node = json_.Find(object, name);
  return node == nullptr || node->kind == JsonNode::Kind::kNull ? nullptr
                                                                : node;
}

base::Result<std::string_view> Case::Text(const JsonNode& object,
                                          std::string_view name) const {
  const JsonNode* const node = Find(object, name);
  if (node == nullptr || !node->is_string()) {
    return Bad(std::string(name) + " must be a string");
  }
  return node->text;
}

// The first part of the resource of an ARN, and whose sessions it names.
struct PrincipalForm {
  std::string_view service;
  std::string_view resource;
  PrincipalKind kind;
};
constexpr std::array kPrincipalForms = {
    PrincipalForm{"iam", "root", PrincipalKind::kRoot},
    PrincipalForm{"iam", "user/", PrincipalKind::kUser},
    PrincipalForm{"sts", "assumed-role/", PrincipalKind::kAssumedRole},
    PrincipalForm{"sts", "federated-user/", PrincipalKind::kFederatedUser},
};

base::Status Case::ReadPrincipal(const JsonNode& request) {
  ASSIGN_OR_RETURN(request_.principal, Text(request, "principal"));
  const auto arn = SplitArn(request_.principal);
  if (!arn) {
    if (!request_.principal.ends_with(".amazonaws.com")) {
      return Bad("principal is neither an ARN nor a service's name");
    }
    request_.principal_kind = PrincipalKind::kService;
    return {};
  }
  for (const PrincipalForm& form : kPrincipalForms) {
    const bool matches = form.resource.ends_with('/')
                             ? (*arn)[5].starts_with(form.resource)
                             : (*arn)[5] == form.resource;
    if ((*arn)[2] == form.service && matches) {
      request_.principal_kind = form.kind;
      request_.principal_account = (*arn)[4];
      return {};
    }
  }
  return Bad("principal is not the ARN of a root, user or session");
}

base::Status Case::ReadResource(const JsonNode& request) {
  const JsonNode* const node = Find(request, "resource");
  if (node == nullptr) {
    return Bad("resource must be an object");
  }
  RETURN_IF_ERROR(CheckMembers(*node, kResourceMembers, "resource"));
  ASSIGN_OR_RETURN(request_.resource, Text(*node, "resource"));
  const auto arn = SplitArn(request_.resource);
  if (!arn && request_.resource != "*") {
    return Bad("resource is neither an ARN nor \"*\"");
  }
  if (Find(*node, "accountId") != nullptr) {
    ASSIGN_OR_RETURN(request_.resource_account, Text(*node, "accountId"));
    return {};
  }
  request_.resource_account = arn ? (*arn)[4] : request_.principal_account;
  return {};
}

base::Status Case::AddValues(const JsonNode& key) {
  if (key.is_scalar()) {
    context_.push_back({key.key, {}, key.text});
    return {};
  }
  const bool scalars =
      key.is_array() && json_.AllOf(key, [&](const JsonNode& value) {
        context_.push_back({key.key, {}, value.text, /*multivalued=*/true});
        return value.is_scalar();
      });
  return scalars ? base::Status()
                 : Bad("a value of the context is a scalar or a list of them");
}

base::Status Case::ReadContext(const JsonNode& request) {
  const JsonNode* const node = Find(request, "context");
  if (node == nullptr) {
    return {};
  }
  if (!node->is_object()) {
    return Bad("context must be an object");
  }
  context_.reserve(node->size);
  base::Status status;
  json_.AllOf(*node, [&](const JsonNode& key) {
    status = AddValues(key);
    return status.has_value();
  });
  return status;
}

// A session's ARN has no path of its role; aws:PrincipalArn is the role's.
void Case::FindIssuer() {
  if (request_.principal_kind != PrincipalKind::kAssumedRole) {
    return;
  }
  const ContextValues found =
      FindValues(context_, ContextKey("aws:PrincipalArn"));
  if (found.count == 1) {
    request_.issuer = context_[found.first].value;
  }
}

base::Status Case::ReadRequest(const JsonNode& root) {
  const JsonNode* const node = Find(root, "request");
  if (node == nullptr) {
    return Bad("request must be an object");
  }
  RETURN_IF_ERROR(CheckMembers(*node, kRequestMembers, "request"));
  ASSIGN_OR_RETURN(request_.action, Text(*node, "action"));
  RETURN_IF_ERROR(ReadPrincipal(*node));
  RETURN_IF_ERROR(ReadResource(*node));
  RETURN_IF_ERROR(ReadContext(*node));
  FindIssuer();
  request_.context = context_;
  return {};
}

base::Status Case::Compile(PolicyKind kind, const JsonNode& node,
                           Policies& out) {
  const JsonNode* document = &node;
  if (const JsonNode* const inner = Find(node, "policy")) {
    RETURN_IF_ERROR(CheckMembers(node, kNamedPolicyMembers, "a policy"));
    document = inner;
  }
  ASSIGN_OR_RETURN(Policy policy, Policy::Compile(kind, json_, *document));
  out.push_back(&compiled_.emplace_back(std::move(policy)));
  return {};
}

base::Status Case::ReadOne(PolicyKind kind, const JsonNode& root,
                           std::string_view name, Policies& out) {
  const JsonNode* const node = Find(root, name);
  return node == nullptr ? base::Status() : Compile(kind, *node, out);
}

base::Status Case::ReadPolicies(PolicyKind kind, const JsonNode& parent,
                                std::string_view name, Policies& out) {
  const JsonNode* const list = Find(parent, name);
  if (list == nullptr) {
    return {};
  }
  if (!list->is_array()) {
    return Bad(std::string(name) + " must be a list");
  }
  base::Status status;
  json_.AllOf(*list, [&](const JsonNode& node) {
    status = Compile(kind, node, out);
    return status.has_value();
  });
  return status;
}

base::Status Case::ReadLevels(PolicyKind kind, const JsonNode& root,
                              std::string_view name, Levels& out) {
  const JsonNode* const list = Find(root, name);
  if (list == nullptr) {
    return {};
  }
  if (!list->is_array()) {
    return Bad(std::string(name) + " must be a list");
  }
  base::Status status;
  json_.AllOf(*list, [&](const JsonNode& level) {
    status = CheckMembers(level, kLevelMembers, name);
    if (status) {
      status =
          ReadPolicies(kind, level, "policies", out.policies.emplace_back());
    }
    return status.has_value();
  });
  out.sets.assign(out.policies.begin(), out.policies.end());
  return status;
}

base::Status Case::ReadAuthority(const JsonNode& root) {
  const std::string_view action = request_.action;
  const PolicyKind resource_kind = action.starts_with("kms:") ? PolicyKind::kKey
                                   : action.starts_with("sts:")
                                       ? PolicyKind::kTrust
                                       : PolicyKind::kResource;
  RETURN_IF_ERROR(ReadOne(resource_kind, root, "resourcePolicy", resource_));
  RETURN_IF_ERROR(
      ReadOne(PolicyKind::kSession, root, "sessionPolicy", session_));
  RETURN_IF_ERROR(
      ReadPolicies(PolicyKind::kIdentity, root, "identityPolicies", identity_));
  RETURN_IF_ERROR(ReadPolicies(PolicyKind::kPermissionsBoundary, root,
                               "permissionBoundaries", boundary_));
  RETURN_IF_ERROR(ReadLevels(PolicyKind::kServiceControl, root,
                             "serviceControlPolicies", service_control_));
  RETURN_IF_ERROR(ReadLevels(PolicyKind::kResourceControl, root,
                             "resourceControlPolicies", resource_control_));
  authority_ = {
      .resource_policy = resource_.empty() ? nullptr : resource_.front(),
      .identity = identity_,
      .boundary = boundary_,
      .session = session_,
      .service_control = service_control_.sets,
      .resource_control = resource_control_.sets};
  return {};
}

base::Status Case::Read(const JsonNode& root) {
  RETURN_IF_ERROR(CheckMembers(root, kCaseMembers, "a case"));
  RETURN_IF_ERROR(ReadRequest(root));
  return ReadAuthority(root);
}

// Appends `,"name":"text"`.
void AppendMember(std::string_view name, std::string_view text,
                  std::string& out) {
  base::WipingString escaped;
  base::AppendJsonEscaped(text, escaped);
  out.append(",\"").append(name).append("\":\"").append(escaped).append("\"");
}

// The answer as far as the id, which is repeated if it is a scalar.
std::string Opening(const JsonText& json) {
  const JsonNode* const id = json.Find(json.root(), "id");
  if (id == nullptr || !id->is_scalar()) {
    return "{\"id\":null";
  }
  if (!id->is_string()) {
    return std::string("{\"id\":").append(id->text);
  }
  std::string out;
  AppendMember("id", id->text, out);
  out.front() = '{';
  return out;
}

std::string_view ResultName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kAllow:
      return "Allowed";
    case Verdict::kExplicitDeny:
      return "ExplicitlyDenied";
    case Verdict::kImplicitDeny:
      break;
  }
  return "ImplicitlyDenied";
}

}  // namespace

CaseAnswer AnswerCase(std::string_view line) {
  const auto json = JsonText::Parse(line);
  if (!json) {
    return {R"({"id":null,"error":"not JSON"})"};
  }
  std::string out = Opening(*json);
  Case one(*json);
  if (const base::Status status = one.Read(json->root()); !status) {
    AppendMember("error", status.error().message, out);
    return {out + "}"};
  }
  const Decision decision = one.Decide();
  AppendMember("result", ResultName(decision.verdict), out);
  AppendMember("by", decision.layer, out);
  if (!decision.sid.empty()) {
    AppendMember("sid", decision.sid, out);
  }
  return {out + "}", /*is_case=*/true};
}

std::string EvaluateCase(std::string_view line) {
  return AnswerCase(line).line;
}

}  // namespace policy
