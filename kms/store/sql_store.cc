// SPDX-License-Identifier: Apache-2.0
#include "kms/store/sql_store.h"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <future>
#include <utility>

#include "kms/store/grants.h"
#include "kms/store/imports.h"
#include "kms/store/reads.h"

namespace kms::store {
namespace {

namespace asio = boost::asio;

base::Error ReadOnly() {
  return base::Error{base::ErrorCode::kStoreUnavailable,
                     "this store was opened only to look at it"};
}

}  // namespace

SqlStore::SqlStore(const StoreOptions& options, StoreInfo info,
                   std::optional<FileLock> lock,
                   std::unique_ptr<ReaderPool> readers,
                   std::unique_ptr<Connection> writer)
    : lock_(std::move(lock)),
      opened_as_(std::move(info)),
      keys_(options.cached_keys),
      aliases_(options.cached_keys),
      readers_(std::move(readers)),
      writer_(writer == nullptr ? nullptr
                                : StartWriter(options, std::move(writer))) {}

std::unique_ptr<Writer> SqlStore::StartWriter(
    const StoreOptions& options, std::unique_ptr<Connection> connection) {
  return std::make_unique<Writer>(
      std::move(connection),
      Writer::Options{.revision = opened_as_.revision,
                      .outbox_idle = options.outbox_idle,
                      .on_commit = [this](const Touched& touched) {
                        keys_.Drop(touched.keys);
                        aliases_.Drop(touched.aliases);
                      }});
}

StoreInfo SqlStore::info() const {
  StoreInfo info = opened_as_;
  if (writer_ != nullptr) {
    info.revision = writer_->revision();
  }
  return info;
}

base::Result<KeyPtr> SqlStore::FindKey(std::string_view row_id) {
  return ReadThrough(keys_, row_id, [&] {
    return readers_->With([&](Connection& connection) -> base::Result<Key> {
      ASSIGN_OR_RETURN(Key key, ReadKey(connection, row_id));
      key.compiled_policy =
          policies_.Compiled(key.policy, key.policy_principals);
      return key;
    });
  });
}

base::Result<std::vector<RelatedKey>> SqlStore::ListRelatedKeys(
    std::string_view key_id) {
  return readers_->With([&](Connection& connection) {
    return ReadRelatedKeys(connection, key_id);
  });
}

base::Result<Alias> SqlStore::FindAlias(std::string_view account,
                                        std::string_view region,
                                        std::string_view name) {
  const std::string key = AliasCacheKey(account, region, name);
  ASSIGN_OR_RETURN(const std::shared_ptr<const Alias> alias,
                   ReadThrough(aliases_, key, [&] {
                     return readers_->With([&](Connection& connection) {
                       return ReadAlias(connection, account, region, name);
                     });
                   }));
  return *alias;
}

base::Result<std::vector<Tag>> SqlStore::Tags(std::string_view row_id) {
  return readers_->With(
      [&](Connection& connection) { return ReadTags(connection, row_id); });
}

base::Result<std::vector<base::Bytes>> SqlStore::Certificates(
    std::string_view row_id) {
  return readers_->With([&](Connection& connection) {
    return ReadCertificates(connection, row_id);
  });
}

base::Result<Page<std::string>> SqlStore::ListKeys(std::string_view account,
                                                   std::string_view region,
                                                   std::string_view after,
                                                   int limit) {
  const Listing listing{account, region, "", after, limit};
  return readers_->With(
      [&](Connection& connection) { return ReadKeyPage(connection, listing); });
}

base::Result<Page<Alias>> SqlStore::ListAliases(std::string_view account,
                                                std::string_view region,
                                                std::string_view row_id,
                                                std::string_view after,
                                                int limit) {
  const Listing listing{account, region, row_id, after, limit};
  return readers_->With([&](Connection& connection) {
    return ReadAliasPage(connection, listing);
  });
}

base::Result<GrantPtr> SqlStore::FindGrant(std::string_view id) {
  ASSIGN_OR_RETURN(Grant grant, readers_->With([&](Connection& connection) {
    return ReadGrant(connection, id);
  }));
  return std::make_shared<const Grant>(std::move(grant));
}

base::Result<Page<Grant>> SqlStore::ListGrants(const GrantQuery& query) {
  return readers_->With(
      [&](Connection& connection) { return ReadGrantPage(connection, query); });
}

base::Result<std::vector<std::string>> SqlStore::ListDueDeletions(
    base::WallTime now) {
  return readers_->With([now](Connection& connection) {
    return ReadDueDeletions(connection, now);
  });
}

base::Result<std::vector<std::string>> SqlStore::ListDueRotations(
    base::WallTime now, int limit) {
  return readers_->With([now, limit](Connection& connection) {
    return ReadDueRotations(connection, now, limit);
  });
}

base::Result<std::vector<DueMaterial>> SqlStore::ListDueMaterials(
    base::WallTime now) {
  return readers_->With([now](Connection& connection) {
    return ReadDueMaterials(connection, now);
  });
}

base::Result<std::vector<std::string>> SqlStore::ListImporters(
    const MaterialId& material) {
  return readers_->With([&material](Connection& connection) {
    return ReadImporters(connection, material);
  });
}

base::Result<ImportPair> SqlStore::FindImportPair(const hsm::Locator& locator) {
  return readers_->With([&locator](Connection& connection) {
    return ReadPair(connection, locator);
  });
}

base::Result<std::vector<ImportPair>> SqlStore::ListExpiredImportPairs(
    base::WallTime now) {
  return readers_->With([now](Connection& connection) {
    return ReadExpiredPairs(connection, now);
  });
}

base::Result<std::vector<ImportPairStock>> SqlStore::ListImportPairStock(
    std::string_view key_store) {
  return readers_->With([key_store](Connection& connection) {
    return ReadPairStock(connection, key_store);
  });
}

base::Result<std::vector<hsm::Locator>> SqlStore::ListLocators(
    std::string_view key_store) {
  return readers_->With([&](Connection& connection) {
    return ReadLocators(connection, key_store);
  });
}

base::Result<bool> SqlStore::HasWrappedMaterials(std::string_view key_store) {
  return readers_->With([&](Connection& connection) {
    return ReadHasWrappedMaterials(connection, key_store);
  });
}

base::Result<std::vector<Intent>> SqlStore::ListIntents() {
  return readers_->With(ReadIntents);
}

base::Result<std::vector<ServiceKey>> SqlStore::ListServiceKeys() {
  return readers_->With(ReadServiceKeys);
}

base::Result<std::vector<std::string>> SqlStore::ListServiceKeysDue() {
  return readers_->With(ReadServiceKeysDue);
}

base::Result<IdentityRows> SqlStore::ReadIdentities() {
  return readers_->With(ReadIdentityRows);
}

base::Result<ExternalKeyRows> SqlStore::ReadExternalKeys() {
  return readers_->With(ReadExternalKeyRows);
}

base::Result<CustomKeyStoreRows> SqlStore::ReadCustomKeyStores() {
  return readers_->With(ReadCustomKeyStoreRows);
}

base::Result<std::uint64_t> SqlStore::CountKeysOfCustomKeyStore(
    std::string_view id, std::string_view xks_key_id) {
  return readers_->With([&](Connection& connection) {
    return SqlCustomKeyStores(connection).CountKeys(id, xks_key_id);
  });
}

base::Result<std::vector<OutboxEvent>> SqlStore::ListOutbox() {
  return readers_->With(ReadOutbox);
}

base::Result<std::optional<ClockProgress>> SqlStore::GetClockProgress() {
  return readers_->With(ReadClockProgress);
}

base::Result<std::vector<LastUse>> SqlStore::ListKeyUsages(
    std::string_view row_id, int limit) {
  return readers_->With([row_id, limit](Connection& connection) {
    return ReadKeyUsages(connection, row_id, limit);
  });
}

base::Result<std::optional<UsageProgress>> SqlStore::GetUsageProgress() {
  return readers_->With(ReadUsageProgress);
}

base::Result<base::WallTime> SqlStore::KeyUsageSince() {
  return readers_->With(ReadKeyUsageSince);
}

asio::awaitable<base::Status> SqlStore::Write(Change change) {
  if (writer_ == nullptr) {
    co_return ReadOnly();
  }
  // Goes from the writer's thread back to the executor that awaits, which is
  // kept from running out of work meanwhile.
  const auto start = [this](auto handler, Change todo) {
    auto work = asio::make_work_guard(asio::get_associated_executor(handler));
    writer_->Enqueue(std::move(todo), [handler = std::move(handler),
                                       work = std::move(work)](
                                          base::Status status) mutable {
      asio::post(work.get_executor(), [handler = std::move(handler),
                                       status = std::move(status)]() mutable {
        std::move(handler)(std::move(status));
      });
    });
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>&,
                                          void(base::Status)>(
      start, asio::use_awaitable, std::move(change));
}

base::Status SqlStore::WriteNow(Change change) {
  if (writer_ == nullptr) {
    return ReadOnly();
  }
  std::promise<base::Status> promise;
  std::future<base::Status> result = promise.get_future();
  // The promise moves along: it must outlive the call that fulfils it.
  writer_->Enqueue(std::move(change),
                   [promise = std::move(promise)](base::Status status) mutable {
                     promise.set_value(std::move(status));
                   });
  return result.get();
}

void SqlStore::ForgetOutbox(std::string event_id) {
  if (writer_ != nullptr) {
    writer_->ForgetOutbox(std::move(event_id));
  }
}

std::size_t SqlStore::QueueLength() const {
  return writer_ == nullptr ? 0 : writer_->waiting();
}

}  // namespace kms::store
