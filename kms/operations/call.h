// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_CALL_H_
#define KMS_OPERATIONS_CALL_H_

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "base/secret.h"
#include "kms/audit/log.h"
#include "kms/authorizer.h"
#include "kms/ciphertext.h"
#include "kms/grant.h"
#include "kms/identity/directory.h"
#include "kms/identity/web_identity.h"
#include "kms/operations/key_stores.h"
#include "kms/operations/operation.h"
#include "kms/operations/shape.h"
#include "kms/service.h"
#include "kms/store/store.h"
#include "policy/request.h"

namespace kms::xks {
class TenantSource;
}

namespace kms::operations {

class Counters;
class CustomKeyStoreSource;
class DeletionGuard;
class LastUsage;
class XksCaller;

// What operations stand on. One per io thread; everything is borrowed.
struct Environment {
  store::Store& store;
  KeyStores key_stores;
  const Authorizer& authorizer;
  const Organization& organization;
  identity::DirectorySource& directory;
  CustomKeyStoreSource& custom_key_stores;
  std::span<const identity::IdentityProvider> identity_providers = {};
  const base::Clock& clock;
  Counters& counters;
  DeletionGuard& deletion_guard;
  LastUsage& last_usage;
  audit::Log& log;
  std::string log_folder;  // Where `log` writes; empty: it cannot be read.
  // Imported material may not be outside of the token, not even in a worker.
  bool strict_boundary = false;
  // Asks the proxies of external key stores; null: there are none.
  XksCaller* xks = nullptr;
  // Of the XKS proxy; null: this server is none.
  xks::TenantSource* tenants = nullptr;
  // Events of mutations that the log could not take when they happened; they
  // are in the outbox, and housekeeping tries again.
  std::vector<store::OutboxEvent> unlogged;
};

// Whom the token in a request stands for, where nobody has signed it.
struct WebCaller {
  identity::WebIdentity identity;
  std::string provider_arn;
  std::string prefix;   // Of the condition keys for the token's claims.
  std::string account;  // That trusts the provider.
};

// A Check is one thing that must be allowed: an action on a resource. `key` is
// the key that the resource is, if it is one, and `states` are those in which
// it may be.
struct Check {
  std::string_view action;
  std::string resource;  // ARN, or "*".
  std::string account;   // Of the resource.
  KeyPtr key;
  States states = kAnyState;
  std::string_view region = {};    // Where it is asked; empty: the request's.
  PolicyPtr resource_policy = {};  // Of what is no key: a role's trust policy.
  // What who is denied is told instead of `resource`; empty: the same. Whether
  // something is there, and where, is not theirs to know.
  std::string shown = {};
};

// What a call has made, as the audit log tells it: {"accessKeyId", "AKIA..."}.
struct Made {
  std::string_view name = {};
  std::string id = {};
};

// A Call is one request on its way through an operation: what came in, what was
// resolved, and what the audit log must know. Not synchronised; lives in the
// coroutine that handles the request.
struct Call {
  Call(Environment& env, const Request& req, const Operation& op);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  Environment& environment;
  const Request& request;
  const Operation& operation;
  base::WallTime now{};
  std::string event_id;

  std::unique_ptr<base::Json> input;  // An object, once validated.
  std::vector<NamedBlob> blobs;

  // Set by `resolve`.
  std::vector<Check> checks;
  KeyPtr key;                            // The key that the operation is about.
  std::string_view request_alias;        // The alias that named it, if one did.
  std::optional<Ciphertext> ciphertext;  // Decrypt and ReEncrypt.
  KeyPtr source;                         // ReEncrypt: the key of `ciphertext`.
  // A key of another account that only a ciphertext has named: who may not use
  // it does not learn that it is there.
  KeyPtr foreign_key;
  KeyPtr replica;  // UpdatePrimaryRegion: what is to be the primary key.
  std::optional<Alias> alias;             // UpdateAlias, DeleteAlias.
  std::vector<GrantPtr> grants;           // Of GrantTokens.
  GrantPtr grant;                         // RetireGrant: what it retires.
  std::optional<WebCaller> web_identity;  // AssumeRoleWithWebIdentity.
  std::string subject_id;  // IAM: of the entity the call is about, if there.

  // Set while running.
  std::size_t decided = 0;                    // How many checks were made.
  policy::Decision decision;                  // Of the last check made,
  std::vector<policy::ContextEntry> context;  // and its condition context.
  std::list<std::string> owned;               // What `context` views.
  std::string grant_id;         // Of the grant that was created or retired.
  std::string material_id;      // Of what was imported, deleted or rotated to.
  Made made;                    // By an operation of IAM.
  std::string committed_event;  // The event that a mutation put in the outbox.
  std::string unusable;         // How the token failed with a key's material.

  // Members of the input, if present (and not null).
  std::optional<std::string_view> Text(std::string_view name) const;
  std::optional<std::int64_t> Number(std::string_view name) const;
  bool Flag(std::string_view name) const;  // Absent is false.
  const base::Json* Find(std::string_view name) const;
  const base::Secret* Blob(std::string_view name) const;

  // The encryption context in member `name`; empty if absent.
  EncryptionContext Context(std::string_view name) const;

  // Commits `change` together with this call's audit event, so that the log can
  // be completed after a crash between the two.
  boost::asio::awaitable<base::Status> Commit(store::Store::Change change);

  // Commit of a change to the key itself: reads it again inside the
  // transaction, checks its state again, applies `edit`, writes it.
  boost::asio::awaitable<base::Status> CommitKey(
      std::function<base::Status(Key&)> edit);
};

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_CALL_H_
