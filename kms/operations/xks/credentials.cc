// SPDX-License-Identifier: Apache-2.0
// What a tenant's KMS signs its requests with. Two may be in force at a time,
// so that one can be replaced while the KMS goes on: make a second, give it to
// the KMS, delete the first.
#include "kms/identity/credentials.h"

#include <string>
#include <utility>

#include "base/random.h"
#include "kms/json_writer.h"
#include "kms/operations/xks/handlers.h"
#include "kms/operations/xks/tenants.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;
using CredentialAnswer = asio::awaitable<base::Result<Reply>>;

constexpr std::size_t kMostCredentials = 2;

// 44 characters of Base64: AWS takes 43 to 64.
base::Secret NewSecret() {
  base::Secret random(32);
  base::RandomBytes(random.Reveal());
  base::WipingString text;
  base::Base64Append(random.Reveal(), text);
  return base::Secret::CopyOf(text);
}

base::Status Insert(store::Transaction& transaction,
                    const XksCredential& credential) {
  store::ExternalKeys& rows = transaction.external_keys();
  ASSIGN_OR_RETURN(const auto others,
                   rows.GetXksCredentials(credential.tenant));
  if (others.size() >= kMostCredentials) {
    return Error{ErrorCode::kLimitExceeded,
                 "Tenant " + credential.tenant +
                     " has two credentials: delete the one that its KMS does "
                     "not use any more, with DeleteXksCredential."};
  }
  return rows.InsertXksCredential(credential);
}

}  // namespace

CredentialAnswer CreateXksCredential(Call& call) {
  CO_RETURN_IF_ERROR(co_await CatchUpTenants(call.environment));
  CO_ASSIGN_OR_RETURN(const xks::TenantSettings* const tenant, TenantOf(call));
  const base::Secret secret = NewSecret();
  CO_ASSIGN_OR_RETURN(
      const XksCredential credential,
      co_await SealXksCredential(call.environment, tenant->name,
                                 identity::NewAccessKeyId("XKSK"), secret));
  call.made = {"accessKeyId", credential.access_key_id};
  auto change = [&credential](store::Transaction& transaction) {
    return Insert(transaction, credential);
  };
  CO_RETURN_IF_ERROR(co_await CommitTenants(call, change));
  Reply reply;
  JsonWriter(reply.body)
      .BeginObject()
      .Text("XksProxyUriPath", UriPathOf(*tenant))
      .Text("AccessKeyId", credential.access_key_id)
      .Text("RawSecretAccessKey", secret.RevealText())
      .EndObject();
  co_return reply;
}

CredentialAnswer DeleteXksCredential(Call& call) {
  CO_RETURN_IF_ERROR(co_await CatchUpTenants(call.environment));
  CO_ASSIGN_OR_RETURN(const std::string tenant, TenantNameOf(call));
  const std::string id(*call.Text("AccessKeyId"));
  call.made = {"accessKeyId", id};
  auto change = [&](store::Transaction& transaction) -> base::Status {
    store::ExternalKeys& rows = transaction.external_keys();
    ASSIGN_OR_RETURN(const auto credentials, rows.GetXksCredentials(tenant));
    for (const XksCredential& credential : credentials) {
      if (credential.access_key_id == id) {
        return rows.DeleteXksCredential(id);
      }
    }
    return Error{ErrorCode::kNotFound,
                 "Tenant " + tenant + " has no credential " + id + "."};
  };
  CO_RETURN_IF_ERROR(co_await CommitTenants(call, change));
  co_return Reply();
}

CredentialAnswer ListXksCredentials(Call& call) {
  CO_RETURN_IF_ERROR(co_await CatchUpTenants(call.environment));
  CO_ASSIGN_OR_RETURN(const std::string tenant, TenantNameOf(call));
  const auto tenants = call.environment.tenants->current();
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject().BeginArray("Credentials");
  for (const XksCredential& credential : tenants->rows().credentials) {
    if (credential.tenant == tenant) {
      writer.BeginObject()
          .Text("AccessKeyId", credential.access_key_id)
          .Time("CreationDate", credential.created)
          .EndObject();
    }
  }
  writer.EndArray().EndObject();
  co_return reply;
}

}  // namespace kms::operations
