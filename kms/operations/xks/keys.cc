// SPDX-License-Identifier: Apache-2.0
// External keys: AES-256 keys that this server keeps for a tenant's KMS.
#include <string>
#include <utility>

#include "kms/json_writer.h"
#include "kms/operations/custom_key_stores/key_rules.h"
#include "kms/operations/intents.h"
#include "kms/operations/xks/handlers.h"
#include "kms/operations/xks/tenants.h"
#include "kms/xks/authorization.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;
using KeyAnswer = asio::awaitable<base::Result<Reply>>;

// Which key the input names.
struct Named {
  std::string tenant;
  std::string id;
};

// Of a tenant that is configured. What a change that was not confirmed has
// done must not be denied.
asio::awaitable<base::Result<Named>> KeyOfTenant(Call& call) {
  CO_RETURN_IF_ERROR(co_await CatchUpTenants(call.environment));
  CO_ASSIGN_OR_RETURN(const xks::TenantSettings* const tenant, TenantOf(call));
  co_return Named{tenant->name, std::string(*call.Text("ExternalKeyId"))};
}

// Says of a row's absence or presence, or of another request's version, what it
// means.
base::Status Explain(base::Status status, const Named& key) {
  if (status) {
    return status;
  }
  const ErrorCode code = status.error().code;
  const std::string_view what =
      code == ErrorCode::kNotFound        ? " does not exist."
      : code == ErrorCode::kAlreadyExists ? " already exists."
      : code == ErrorCode::kConflict
          ? ": another request has rotated it meanwhile. Try again."
          : "";
  if (what.empty()) {
    return status;
  }
  return Error{code, std::string("External key ")
                         .append(xks::ExternalKeyArn(key.tenant, key.id))
                         .append(what)};
}

Reply Describe(const Named& key, std::uint32_t version) {
  Reply reply;
  JsonWriter(reply.body)
      .BeginObject()
      .Text("Arn", xks::ExternalKeyArn(key.tenant, key.id))
      .Text("ExternalKeyId", key.id)
      .Number("Version", version)
      .EndObject();
  return reply;
}

// Makes the token's object for a version, announced by an intent.
asio::awaitable<base::Result<ExternalKeyVersion>> MakeVersion(
    Environment& environment, const Named& key, std::uint32_t number) {
  KeyStore& key_store = environment.key_stores.primary();
  CO_ASSIGN_OR_RETURN(
      const hsm::Locator announced,
      co_await AnnounceKey(environment, key_store,
                           xks::ExternalKeyArn(key.tenant, key.id)));
  hsm::GenerateKeyRequest request;
  request.key.locator = announced;
  request.key.algorithm = key_store.algorithm;
  const auto made = co_await key_store.hsm.Call(request);
  if (!made) {
    co_await RollBackCreation(environment, key_store, announced);
    co_return Error(made.error());
  }
  ExternalKeyVersion version;
  version.version = number;
  version.ref = request.key;
  version.check_value = BoundCheckValue(
      key.tenant, key.id, number, made->check_value, base::ThreadHasher());
  version.key_store = key_store.name;
  version.created = environment.clock.Now();
  co_return version;
}

// Commits `change`, which makes `version` known; what was made for nothing
// goes.
asio::awaitable<base::Status> Keep(Call& call, const Named& key,
                                   const ExternalKeyVersion& version,
                                   store::Store::Change change) {
  auto whole = [&](store::Transaction& transaction) -> base::Status {
    RETURN_IF_ERROR(Explain(change(transaction), key));
    return transaction.DeleteIntent(version.ref.locator);
  };
  base::Status kept = co_await CommitTenants(call, whole);
  if (!kept && call.committed_event.empty()) {
    co_await RollBackCreation(call.environment,
                              call.environment.key_stores.primary(),
                              version.ref.locator);
  }
  co_return kept;
}

KeyAnswer SetEnabled(Call& call, bool enabled) {
  CO_RETURN_IF_ERROR(co_await CatchUpTenants(call.environment));
  CO_ASSIGN_OR_RETURN(const std::string tenant, TenantNameOf(call));
  const Named key = {tenant, std::string(*call.Text("ExternalKeyId"))};
  auto change = [&](store::Transaction& transaction) {
    return Explain(transaction.external_keys().SetExternalKeyEnabled(
                       key.tenant, key.id, enabled),
                   key);
  };
  CO_RETURN_IF_ERROR(co_await CommitTenants(call, change));
  co_return Reply();
}

}  // namespace

KeyAnswer CreateExternalKey(Call& call) {
  CO_RETURN_IF_ERROR(CheckExternalKeyId(*call.Text("ExternalKeyId")));
  CO_ASSIGN_OR_RETURN(const Named named, co_await KeyOfTenant(call));
  const auto tenants = call.environment.tenants->current();
  if (tenants->FindByName(named.tenant)->FindKey(named.id) != nullptr) {
    co_return Explain(Error{ErrorCode::kAlreadyExists, ""}, named).error();
  }
  CO_ASSIGN_OR_RETURN(ExternalKeyVersion version,
                      co_await MakeVersion(call.environment, named, 1));
  ExternalKey key;
  key.tenant = named.tenant;
  key.id = named.id;
  key.created = version.created;
  key.versions = {version};
  auto change = [&key](store::Transaction& transaction) {
    return transaction.external_keys().InsertExternalKey(key);
  };
  CO_RETURN_IF_ERROR(co_await Keep(call, named, version, change));
  co_return Describe(named, version.version);
}

KeyAnswer RotateExternalKey(Call& call) {
  CO_ASSIGN_OR_RETURN(const Named named, co_await KeyOfTenant(call));
  const auto tenants = call.environment.tenants->current();
  const ExternalKey* const key =
      tenants->FindByName(named.tenant)->FindKey(named.id);
  if (key == nullptr) {
    co_return Explain(Error{ErrorCode::kNotFound, ""}, named).error();
  }
  CO_ASSIGN_OR_RETURN(const ExternalKeyVersion version,
                      co_await MakeVersion(call.environment, named,
                                           key->versions.back().version + 1));
  auto change = [&](store::Transaction& transaction) {
    return transaction.external_keys().AddVersion(named.tenant, named.id,
                                                  version);
  };
  CO_RETURN_IF_ERROR(co_await Keep(call, named, version, change));
  co_return Describe(named, version.version);
}

KeyAnswer EnableExternalKey(Call& call) { return SetEnabled(call, true); }

KeyAnswer DisableExternalKey(Call& call) { return SetEnabled(call, false); }

KeyAnswer ListExternalKeys(Call& call) {
  CO_RETURN_IF_ERROR(co_await CatchUpTenants(call.environment));
  CO_ASSIGN_OR_RETURN(const std::string tenant, TenantNameOf(call));
  const auto tenants = call.environment.tenants->current();
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject();
  if (const xks::Tenant* const served = tenants->FindByName(tenant)) {
    writer.Text("XksProxyUriPath", UriPathOf(served->settings));
  }
  writer.BeginArray("Keys");
  for (const ExternalKey& key : tenants->rows().keys) {
    if (key.tenant == tenant) {
      writer.BeginObject()
          .Text("ExternalKeyId", key.id)
          .Text("KeyStatus", key.enabled ? "ENABLED" : "DISABLED")
          .Number("Version", key.versions.back().version)
          .Time("CreationDate", key.created)
          .Time("RotationDate", key.versions.back().created)
          .EndObject();
    }
  }
  writer.EndArray().EndObject();
  co_return reply;
}

}  // namespace kms::operations
