// SPDX-License-Identifier: Apache-2.0
// Accounts, which only the server's operator adds.
#include <fmt/format.h>

#include <string>

#include "kms/identity/credentials.h"
#include "kms/json_writer.h"
#include "kms/operations/handlers.h"
#include "kms/operations/identities.h"
#include "kms/operations/resolve.h"

namespace kms::operations {

// A user of some account may have every permission there, and come in by the
// same socket: accounts are not theirs.
base::Status ResolveOperatorOperation(Call& call) {
  RETURN_IF_ERROR(ResolveServerOperation(call));
  if (!call.request.caller.administrator) {
    return AccessDenied(
        call, call.checks.front(),
        {.reason = "only the server's operator may: root, or the user that "
                   "clavigerd runs as"});
  }
  return {};
}

base::Status ResolveKeyForOperator(Call& call) {
  RETURN_IF_ERROR(ResolveOperatorOperation(call));
  ASSIGN_OR_RETURN(
      call.key, FindKey(call, *call.Text("KeyId"), call.operation.key_forms));
  return {};
}

Answer AddAccount(Call& call) {
  const std::string id(*call.Text("AccountId"));
  const base::Secret secret = identity::NewSecretKey();
  CO_ASSIGN_OR_RETURN(
      const NewAccount made,
      co_await PrepareAccount(call.environment, id,
                              identity::NewAccessKeyId("AKIA"), secret));
  call.made = {"accessKeyId", made.key.id};
  auto change = [&made](store::Transaction& transaction) -> base::Status {
    const base::Status inserted =
        transaction.identities().InsertAccount(made.account);
    if (!inserted && inserted.error().code == base::ErrorCode::kAlreadyExists) {
      return base::Error{
          base::ErrorCode::kAlreadyExists,
          fmt::format("Account {} already exists.", made.account.id)};
    }
    RETURN_IF_ERROR(inserted);
    return InsertAccount(transaction, made);
  };
  CO_RETURN_IF_ERROR(co_await CommitIdentities(call, change));
  Reply reply;
  JsonWriter(reply.body)
      .BeginObject()
      .Text("AccountId", id)
      .Text("AccessKeyId", made.key.id)
      .Text("SecretAccessKey", secret.RevealText())
      .EndObject();
  co_return reply;
}

Answer ListAccounts(Call& call) {
  const auto directory = call.environment.directory.current();
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject().BeginArray("Accounts");
  for (const Account& account : directory->accounts()) {
    writer.BeginObject()
        .Text("AccountId", account.id)
        .Time("CreationDate", account.created)
        .EndObject();
  }
  writer.EndArray().EndObject();
  co_return reply;
}

}  // namespace kms::operations
