// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_STORE_STORE_H_
#define KMS_STORE_STORE_H_

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "kms/grant.h"
#include "kms/model.h"
#include "kms/store/custom_key_stores.h"
#include "kms/store/external_keys.h"
#include "kms/store/identities.h"

namespace kms::store {

// A page of a listing: at most `limit` items after the one named in the
// request, and whether more follow.
template <typename T>
struct Page {
  std::vector<T> items;
  bool truncated = false;
};

// Which grants, and which page of them in the order of their ids. Members that
// are empty do not restrict.
struct GrantQuery {
  std::string_view grant_id;
  std::string_view key_row_id;
  std::string_view grantee_principal;
  std::string_view grantee_service;
  std::string_view region;  // Of the key.
  std::string_view retiring_principal;
  std::string_view retiring_service;
  std::string_view issuing_account;
  std::string_view after;
  int limit = 0;
};

struct StoreInfo {
  std::string id;              // UUID text, made once: names this store.
  std::uint64_t epoch = 0;     // Raised by every opening for writing.
  std::uint64_t revision = 0;  // Raised by every committed mutation.
};

// An Intent announces a change on the token before it happens, so that the next
// start can settle what a crash left (design: rules of the HSM layer, 2).
enum class IntentKind : std::uint8_t { kCreate, kDestroy };
struct Intent {
  hsm::Locator locator;
  std::string key_store;
  IntentKind kind = IntentKind::kCreate;
  std::uint64_t epoch = 0;  // Of the process that wrote it.
  std::string key_id;       // The key that it is for, or the service purpose.
};

// A service key encrypts secrets in the store; one per purpose ("credentials").
struct ServiceKey {
  std::string purpose;
  std::string key_store;
  hsm::KeyRef ref;
  hsm::CheckValue check_value{};
};

// An audit event that was committed with its mutation and may not have reached
// the audit log yet.
struct OutboxEvent {
  std::string event_id;
  std::string text;  // The event's JSON, without the chain members.
};

// The last successful use of a key in one operation by one principal.
struct LastUse {
  std::string operation;
  std::string principal;  // ARN or service; empty if it is not known.
  base::WallTime time{};
  std::string event_id;  // In the audit log.
  std::string request_id;
};

// Which uses of keys the store knows: all that the audit log has up to this
// record, or all, where a server has ended and none has begun since.
struct UsageProgress {
  std::uint64_t log_sequence = 0;
  bool complete = false;
};

// How far time has provably passed (design: rules of the HSM layer, 6).
struct ClockProgress {
  base::WallTime trusted{};  // Advances with the monotonic clock only.
};

// An ImportPair is an RSA pair under which somebody wraps key material. The
// last three members are there when it has been given out.
struct ImportPair {
  hsm::KeyRef ref;
  std::string key_store;
  base::Bytes public_key;  // SubjectPublicKeyInfo.
  base::WallTime created{};
  std::string key_row_id;
  std::optional<hsm::WrappingAlgorithm> wrapping;
  std::optional<base::WallTime> valid_to;
};

// How many pairs of an algorithm there are: made in advance, and given out.
struct ImportPairStock {
  hsm::Algorithm algorithm = hsm::Algorithm::kRsa2048Unwrap;
  std::uint64_t waiting = 0;
  std::uint64_t open = 0;
};

// An imported material whose time is over.
struct DueMaterial {
  std::string row_id;  // Of its key.
  MaterialId material{};
};

// A Transaction is one atomic change on the writer's connection. Reads see the
// change so far. It exists only inside the function given to Store::Write, on
// the writer's thread.
class Transaction {
 public:
  virtual ~Transaction() = default;

  // The revision that this transaction will commit as.
  virtual std::uint64_t revision() const = 0;

  virtual base::Result<Key> GetKey(std::string_view row_id) = 0;  // kNotFound
  // The keys of this id, in the order of their Regions; one if it is the id of
  // a single-Region key, none if there is no such key.
  virtual base::Result<std::vector<RelatedKey>> GetRelatedKeys(
      std::string_view key_id) = 0;
  virtual base::Status InsertKey(const Key& key) = 0;
  // Adds a key to those of its id, whose materials it shares; what it has in
  // `materials` is not looked at. Imported ones it has yet to import.
  // kAlreadyExists if its Region has one.
  virtual base::Status InsertReplica(const Key& key) = 0;
  // Writes all columns but the materials; those of `rotation` and
  // `on_demand_rotations` for every key of its id.
  virtual base::Status UpdateKey(const Key& key) = 0;
  // Gives the keys of this id their newest material, which becomes the current
  // one.
  virtual base::Status AddMaterial(std::string_view key_id,
                                   const KeyMaterial& material) = 0;

  // Of keys whose material is imported. Adds a material, with the terms under
  // which `key` has it: the key's first, which is the current one, or one that
  // is pending rotation. Other keys of its id have yet to import it.
  virtual base::Status InsertImportedMaterial(const Key& key,
                                              const KeyMaterial& material) = 0;
  // Makes the pending one the current one.
  virtual base::Status RotateToMaterial(std::string_view key_id,
                                        const MaterialId& material,
                                        const Rotation& rotation) = 0;
  // Forgets one that is pending rotation.
  virtual base::Status DeleteMaterial(std::string_view key_id,
                                      const MaterialId& material) = 0;
  // Says which object, or wrapped key, a known material is now.
  virtual base::Status MoveMaterial(std::string_view key_id,
                                    const KeyMaterial& material) = 0;
  // Says what the key of this row knows of a material: `material.import`.
  virtual base::Status PutImportTerms(std::string_view row_id,
                                      const KeyMaterial& material) = 0;
  // The rows of the keys that have this material imported, which share its
  // object; without any there is none.
  virtual base::Result<std::vector<std::string>> GetImporters(
      const MaterialId& material) = 0;

  virtual base::Status InsertImportPair(const ImportPair& pair) = 0;
  // Gives one out that waits, on these terms; nullopt if there is none of that
  // algorithm in that key store.
  virtual base::Result<std::optional<ImportPair>> ClaimImportPair(
      const ImportPair& terms) = 0;
  // Those given out for a key, the oldest first.
  virtual base::Result<std::vector<ImportPair>> GetImportPairs(
      std::string_view row_id) = 0;
  virtual base::Status DeleteImportPair(
      const hsm::Locator& locator) = 0;  // kNotFound

  // Removes the key, its aliases, tags, certificates and grants; and the
  // materials with the last key of its id.
  virtual base::Status DeleteKey(std::string_view row_id) = 0;

  virtual base::Result<Alias> GetAlias(std::string_view account,
                                       std::string_view region,
                                       std::string_view name) = 0;
  virtual base::Result<std::uint64_t> CountAliases(std::string_view row_id) = 0;
  virtual base::Status InsertAlias(const Alias& alias) = 0;  // kAlreadyExists
  virtual base::Status UpdateAlias(const Alias& alias) = 0;
  virtual base::Status DeleteAlias(const Alias& alias) = 0;

  virtual base::Result<std::vector<Tag>> GetTags(std::string_view row_id) = 0;
  // Adds or replaces; order of first insertion is kept.
  virtual base::Status PutTag(std::string_view row_id, const Tag& tag) = 0;
  virtual base::Status DeleteTag(std::string_view row_id,
                                 std::string_view tag_key) = 0;

  // Gives the key these certificates (DER) in place of those that it had.
  virtual base::Status SetCertificates(
      std::string_view row_id,
      const std::vector<base::Bytes>& certificates) = 0;

  virtual base::Result<Grant> GetGrant(std::string_view id) = 0;  // kNotFound
  virtual base::Result<std::uint64_t> CountGrants(std::string_view row_id) = 0;
  // The id of a grant of the same key with the same name and parameters as
  // `grant`; nullopt if there is none.
  virtual base::Result<std::optional<std::string>> FindSameGrant(
      const Grant& grant) = 0;
  virtual base::Status InsertGrant(const Grant& grant) = 0;
  virtual base::Status DeleteGrant(std::string_view id) = 0;  // kNotFound

  virtual base::Status InsertIntent(const Intent& intent) = 0;
  // kNotFound if it has been settled already: the change must not go on.
  virtual base::Status DeleteIntent(const hsm::Locator& locator) = 0;
  // Notes that who announced a creation has given up: as if an earlier epoch
  // had. kNotFound if none is announced.
  virtual base::Status AbandonIntent(const hsm::Locator& locator) = 0;

  // Also notes that the key of this purpose is due no more.
  virtual base::Status InsertServiceKey(const ServiceKey& key) = 0;

  // Accounts, users and whatever else says who may ask.
  virtual Identities& identities() = 0;
  // What the XKS proxy keeps for others.
  virtual ExternalKeys& external_keys() = 0;
  virtual CustomKeyStores& custom_key_stores() = 0;

  // Adds a use, or replaces the one of the same operation and principal. Does
  // nothing if there is no such key any more.
  virtual base::Status PutKeyUsage(std::string_view row_id,
                                   const LastUse& usage) = 0;
  // Forgets the oldest uses of a key beyond about `most`.
  virtual base::Status TrimKeyUsages(std::string_view key_id, int most) = 0;
  virtual base::Status SetUsageProgress(const UsageProgress& progress) = 0;

  virtual base::Status AddOutbox(const OutboxEvent& event) = 0;
  virtual base::Status SetClockProgress(const ClockProgress& progress) = 0;

  // Reserves `count` (1..2^32) counter values of a material for
  // kAes256GcmCounter and returns the first. Values start at 1 and are never
  // handed out twice.
  virtual base::Result<std::uint64_t> ReserveCounters(
      const MaterialId& material, std::uint64_t count) = 0;
};

struct StoreOptions {
  std::string path;                 // Of claviger.db; its folder must exist.
  std::size_t cached_keys = 10000;  // Bound of the cache of keys and aliases.
  int readers = 2;                  // Connections for reading.
  // How long a forgotten outbox event may wait for a change to go with.
  std::chrono::milliseconds outbox_idle{1000};
  std::string vfs;  // An SQLite VFS by name; "" is the default. For tests.
};

// A Store is the durable memory of clavigerd: keys, aliases, tags, policies,
// grants, credentials, intents, the outbox. One process opens it for writing at
// a time (an exclusive lock beside the database; kBusy if another has it).
//
// Safe to call from any thread. Reads are answered from a bounded cache or a
// reader connection, on the caller's thread. A Write runs on the single writer
// thread and is durable (synchronous=FULL) when it completes; completion
// resumes the caller on its own executor. Errors: kStoreUnavailable (disk full,
// I/O: nothing was changed), kCorrupt, kBusy, and what the caller's function
// returns. Messages never hold bound values.
class Store {
 public:
  static base::Result<std::unique_ptr<Store>> Open(StoreOptions options,
                                                   const base::Clock& clock);

  // Opens a store only to look at it, also while a clavigerd has it: every
  // Write fails with kStoreUnavailable. Fails with kStoreUnavailable if there
  // is no store, or one whose schema is not this program's.
  static base::Result<std::unique_ptr<Store>> OpenReadOnly(
      StoreOptions options);

  // Commits what waits. An executor that awaits a Write must outlive that.
  virtual ~Store() = default;

  virtual StoreInfo info() const = 0;

  // What is asked of one key is asked by its Key::row_id. FindKey compiles its
  // policy.
  virtual base::Result<KeyPtr> FindKey(
      std::string_view row_id) = 0;  // kNotFound
  // See Transaction::GetRelatedKeys.
  virtual base::Result<std::vector<RelatedKey>> ListRelatedKeys(
      std::string_view key_id) = 0;
  virtual base::Result<Alias> FindAlias(std::string_view account,
                                        std::string_view region,
                                        std::string_view name) = 0;
  virtual base::Result<std::vector<Tag>> Tags(std::string_view row_id) = 0;
  // As they were given; none if there is no such key.
  virtual base::Result<std::vector<base::Bytes>> Certificates(
      std::string_view row_id) = 0;

  // Listings are in order of id or name, and start after `after` ("" = first).
  // This one is of key ids.
  virtual base::Result<Page<std::string>> ListKeys(std::string_view account,
                                                   std::string_view region,
                                                   std::string_view after,
                                                   int limit) = 0;
  // `row_id` empty: aliases of all keys.
  virtual base::Result<Page<Alias>> ListAliases(std::string_view account,
                                                std::string_view region,
                                                std::string_view row_id,
                                                std::string_view after,
                                                int limit) = 0;
  virtual base::Result<GrantPtr> FindGrant(std::string_view id) = 0;
  // Without grants of keys whose destruction has begun.
  virtual base::Result<Page<Grant>> ListGrants(const GrantQuery& query) = 0;

  // The rows of keys of all accounts whose deletion date is at or before `now`,
  // or whose destruction has begun.
  virtual base::Result<std::vector<std::string>> ListDueDeletions(
      base::WallTime now) = 0;
  // The rows of the first `limit` enabled keys of all accounts whose rotation
  // was due at `now`, the longest overdue first. Of multi-Region keys that is
  // the primary key, which is rotated for all.
  virtual base::Result<std::vector<std::string>> ListDueRotations(
      base::WallTime now, int limit) = 0;
  // The imported materials whose time was over at `now`.
  virtual base::Result<std::vector<DueMaterial>> ListDueMaterials(
      base::WallTime now) = 0;
  // See Transaction::GetImporters.
  virtual base::Result<std::vector<std::string>> ListImporters(
      const MaterialId& material) = 0;
  virtual base::Result<ImportPair> FindImportPair(
      const hsm::Locator& locator) = 0;  // kNotFound
  virtual base::Result<std::vector<ImportPair>> ListExpiredImportPairs(
      base::WallTime now) = 0;
  virtual base::Result<std::vector<ImportPairStock>> ListImportPairStock(
      std::string_view key_store) = 0;
  // Every locator that the store knows of an object of this key store's token:
  // materials (but not wrapped ones, and those that wait for their import),
  // wrapping pairs, external and service keys.
  virtual base::Result<std::vector<hsm::Locator>> ListLocators(
      std::string_view key_store) = 0;

  // Whether there are materials that a wrapping key of this key store wraps.
  virtual base::Result<bool> HasWrappedMaterials(
      std::string_view key_store) = 0;

  virtual base::Result<std::vector<Intent>> ListIntents() = 0;
  virtual base::Result<std::vector<ServiceKey>> ListServiceKeys() = 0;
  // The purposes for which a store that an earlier release made, or a new one,
  // is still to be given a service key.
  virtual base::Result<std::vector<std::string>> ListServiceKeysDue() = 0;
  virtual base::Result<IdentityRows> ReadIdentities() = 0;
  virtual base::Result<ExternalKeyRows> ReadExternalKeys() = 0;
  virtual base::Result<CustomKeyStoreRows> ReadCustomKeyStores() = 0;
  // As CustomKeyStores::CountKeys.
  virtual base::Result<std::uint64_t> CountKeysOfCustomKeyStore(
      std::string_view id, std::string_view xks_key_id) = 0;
  virtual base::Result<std::vector<OutboxEvent>> ListOutbox() = 0;
  virtual base::Result<std::optional<ClockProgress>> GetClockProgress() = 0;

  // The `limit` newest uses of a key, the newest first.
  virtual base::Result<std::vector<LastUse>> ListKeyUsages(
      std::string_view row_id, int limit) = 0;
  virtual base::Result<std::optional<UsageProgress>> GetUsageProgress() = 0;
  // Since when this store knows how its keys are used.
  virtual base::Result<base::WallTime> KeyUsageSince() = 0;

  // Runs `change` in one transaction on the writer thread (again from the start
  // if the database asks for a retry: it must have no other effects), commits
  // it, and drops what it touched from the cache before completing. If it fails
  // nothing is changed. Several Writes may share one commit.
  using Change = std::function<base::Status(Transaction&)>;
  virtual boost::asio::awaitable<base::Status> Write(Change change) = 0;

  // Writes from a thread that has no coroutine (start-up, tests).
  virtual base::Status WriteNow(Change change) = 0;

  // Says that this event is durable in the audit log: its outbox row goes with
  // one of the next commits, or at Close. Does not wait.
  virtual void ForgetOutbox(std::string event_id) = 0;

  // The number of Writes waiting (for /metrics).
  virtual std::size_t QueueLength() const = 0;
};

}  // namespace kms::store

#endif  // KMS_STORE_STORE_H_
