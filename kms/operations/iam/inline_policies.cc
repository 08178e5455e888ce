// SPDX-License-Identifier: Apache-2.0
// Policies that are part of one user, group or role.
#include <fmt/format.h>

#include "kms/operations/iam/answer.h"
#include "kms/operations/iam/documents.h"
#include "kms/operations/iam/handlers.h"
#include "kms/operations/iam/subject.h"
#include "kms/operations/identities.h"
#include "policy/policy.h"

namespace kms::operations::iam {
namespace {

using base::Error;
using base::ErrorCode;

std::string_view NameOf(const Call& call) { return *call.Text("PolicyName"); }

Error NoSuchPolicy(const Call& call) {
  return {ErrorCode::kNotFound,
          fmt::format("The {} policy with name {} cannot be found.",
                      EntityKindName(SubjectOf(call).kind.kind), NameOf(call))};
}

// Of all the inline policies together.
base::Status CheckQuota(store::Identities& identities, const Entity& entity) {
  ASSIGN_OR_RETURN(const auto documents, identities.GetDocuments(entity.id));
  std::size_t size = 0;
  for (const Document& document : documents) {
    size += policy::SizeWithoutWhiteSpace(document.text);
  }
  const std::size_t most = KindOf(entity.kind).most_inline_bytes;
  if (size > most) {
    return Error{ErrorCode::kLimitExceeded,
                 fmt::format("Maximum policy size of {} bytes exceeded for {} "
                             "{}",
                             most, EntityKindName(entity.kind), entity.name)};
  }
  return {};
}

}  // namespace

Answer PutInlinePolicy(Call& call) {
  const std::string_view text = *call.Text("PolicyDocument");
  CO_RETURN_IF_ERROR(CheckIdentityPolicy(text));
  const Document document = {std::string(NameOf(call)), std::string(text),
                             call.now};
  auto change = [&](store::Transaction& transaction) -> base::Status {
    ASSIGN_OR_RETURN(const Entity entity, GetSubject(call, transaction));
    store::Identities& identities = transaction.identities();
    RETURN_IF_ERROR(identities.PutDocument(entity.id, document));
    return CheckQuota(identities, entity);
  };
  CO_RETURN_IF_ERROR(co_await CommitIdentities(call, change));
  co_return Reply();
}

Answer GetInlinePolicy(Call& call) {
  const auto directory = call.environment.directory.current();
  CO_ASSIGN_OR_RETURN(const identity::Record* const record,
                      FindSubject(call, *directory));
  const Document* const document = record->FindDocument(NameOf(call));
  if (document == nullptr) {
    co_return NoSuchPolicy(call);
  }
  Reply reply;
  JsonWriter(reply.body)
      .BeginObject()
      .Text(KindOf(record->entity.kind).name, record->entity.name)
      .Text("PolicyName", document->name)
      .Text("PolicyDocument", UrlEncoded(document->text))
      .EndObject();
  co_return reply;
}

Answer ListInlinePolicies(Call& call) {
  const auto directory = call.environment.directory.current();
  CO_ASSIGN_OR_RETURN(const identity::Record* const record,
                      FindSubject(call, *directory));
  CO_ASSIGN_OR_RETURN(PageFilter page, PageFilter::Read(call));
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject().BeginArray("PolicyNames");
  for (const Document& document : record->documents) {
    if (page.Takes(document.name)) {
      writer.Item(document.name);
    }
  }
  writer.EndArray();
  page.WriteEnd(writer);
  writer.EndObject();
  co_return reply;
}

Answer DeleteInlinePolicy(Call& call) {
  auto change = [&call](store::Transaction& transaction) -> base::Status {
    ASSIGN_OR_RETURN(const Entity entity, GetSubject(call, transaction));
    base::Status deleted =
        transaction.identities().DeleteDocument(entity.id, NameOf(call));
    if (!deleted && deleted.error().code == ErrorCode::kNotFound) {
      return NoSuchPolicy(call);
    }
    return deleted;
  };
  CO_RETURN_IF_ERROR(co_await CommitIdentities(call, change));
  co_return Reply();
}

}  // namespace kms::operations::iam
