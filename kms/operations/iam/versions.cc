// SPDX-License-Identifier: Apache-2.0
// Versions of managed policies: IAM User Guide, "Versioning IAM policies".
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include "kms/operations/iam/answer.h"
#include "kms/operations/iam/documents.h"
#include "kms/operations/iam/handlers.h"
#include "kms/operations/iam/managed_policy.h"
#include "kms/operations/iam/subject.h"
#include "kms/operations/identities.h"

namespace kms::operations::iam {
namespace {

using base::Error;
using base::ErrorCode;
using identity::Record;

constexpr std::size_t kMostVersions = 5;

std::string_view VersionId(const Call& call) { return *call.Text("VersionId"); }

// 3 of "v3".
int NumberOf(std::string_view version) {
  int number = 0;
  std::from_chars(version.data() + 1, version.data() + version.size(), number);
  return number;
}

Error NoSuchVersion(const Call& call) {
  return {ErrorCode::kNotFound,
          fmt::format("Policy {} version {} does not exist or is not "
                      "attachable.",
                      *call.Text("PolicyArn"), VersionId(call))};
}

base::Result<std::string> NextVersion(store::Identities& identities,
                                      const Entity& policy) {
  ASSIGN_OR_RETURN(const auto versions, identities.GetDocuments(policy.id));
  if (versions.size() >= kMostVersions) {
    return Error{ErrorCode::kLimitExceeded,
                 fmt::format("A managed policy can have up to {} versions. "
                             "Before you create a new version, you must "
                             "delete an existing version.",
                             kMostVersions)};
  }
  int last = 0;
  for (const Document& version : versions) {
    last = std::max(last, NumberOf(version.name));
  }
  return fmt::format("v{}", last + 1);
}

void WriteVersion(const Document& version, bool is_default,
                  JsonWriter& writer) {
  writer.Text("VersionId", version.name)
      .Bool("IsDefaultVersion", is_default)
      .Text("CreateDate", TimeText(version.created));
}

// Fails with kNotFound if the policy has no such version.
base::Status CheckVersion(const Call& call, store::Identities& identities,
                          const Entity& policy) {
  ASSIGN_OR_RETURN(const auto versions, identities.GetDocuments(policy.id));
  if (std::ranges::find(versions, VersionId(call), &Document::name) ==
      versions.end()) {
    return NoSuchVersion(call);
  }
  return {};
}

}  // namespace

Answer CreatePolicyVersion(Call& call) {
  Document version = {"", std::string(*call.Text("PolicyDocument")), call.now};
  CO_RETURN_IF_ERROR(CheckManagedPolicy(version.text));
  const bool set_as_default = call.Flag("SetAsDefault");
  auto change = [&](store::Transaction& transaction) -> base::Status {
    ASSIGN_OR_RETURN(Entity policy, GetSubject(call, transaction));
    store::Identities& identities = transaction.identities();
    ASSIGN_OR_RETURN(version.name, NextVersion(identities, policy));
    call.made = {"versionId", version.name};
    RETURN_IF_ERROR(identities.PutDocument(policy.id, version));
    if (!set_as_default) {
      return {};
    }
    policy.default_version = version.name;
    return identities.UpdateEntity(policy);
  };
  CO_RETURN_IF_ERROR(co_await CommitIdentities(call, change));
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject().BeginObject("PolicyVersion");
  WriteVersion(version, set_as_default, writer);
  writer.EndObject().EndObject();
  co_return reply;
}

Answer GetPolicyVersion(Call& call) {
  const auto directory = call.environment.directory.current();
  CO_ASSIGN_OR_RETURN(const Record* const policy,
                      FindPolicySubject(call, *directory));
  const Document* const version = policy->FindDocument(VersionId(call));
  if (version == nullptr) {
    co_return NoSuchVersion(call);
  }
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject().BeginObject("PolicyVersion");
  WriteVersion(*version, version == policy->DefaultVersion(), writer);
  writer.Text("Document", UrlEncoded(version->text)).EndObject().EndObject();
  co_return reply;
}

Answer ListPolicyVersions(Call& call) {
  const auto directory = call.environment.directory.current();
  CO_ASSIGN_OR_RETURN(const Record* const policy,
                      FindPolicySubject(call, *directory));
  CO_ASSIGN_OR_RETURN(PageFilter page, PageFilter::Read(call));
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject().BeginArray("Versions");
  for (const Document& version : policy->documents) {
    if (page.Takes(version.name)) {
      writer.BeginObject();
      WriteVersion(version, &version == policy->DefaultVersion(), writer);
      writer.EndObject();
    }
  }
  writer.EndArray();
  page.WriteEnd(writer);
  writer.EndObject();
  co_return reply;
}

Answer DeletePolicyVersion(Call& call) {
  auto change = [&call](store::Transaction& transaction) -> base::Status {
    ASSIGN_OR_RETURN(const Entity policy, GetSubject(call, transaction));
    store::Identities& identities = transaction.identities();
    RETURN_IF_ERROR(CheckVersion(call, identities, policy));
    if (policy.default_version == VersionId(call)) {
      return Error{ErrorCode::kConflict,
                   "Cannot delete the default version of a policy."};
    }
    return identities.DeleteDocument(policy.id, VersionId(call));
  };
  CO_RETURN_IF_ERROR(co_await CommitIdentities(call, change));
  co_return Reply();
}

Answer SetDefaultPolicyVersion(Call& call) {
  auto change = [&call](store::Transaction& transaction) -> base::Status {
    ASSIGN_OR_RETURN(Entity policy, GetSubject(call, transaction));
    store::Identities& identities = transaction.identities();
    RETURN_IF_ERROR(CheckVersion(call, identities, policy));
    policy.default_version = VersionId(call);
    return identities.UpdateEntity(policy);
  };
  CO_RETURN_IF_ERROR(co_await CommitIdentities(call, change));
  co_return Reply();
}

}  // namespace kms::operations::iam
