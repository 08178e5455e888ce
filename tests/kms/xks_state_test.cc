// SPDX-License-Identifier: Apache-2.0
// What the XKS proxy remembers between requests: quotas, counts of uses, how
// the token does, which tenants there are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "kms/xks/health.h"
#include "kms/xks/quota.h"
#include "kms/xks/tenants.h"
#include "kms/xks/uses.h"
#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"

namespace kms::xks {
namespace {

namespace asio = boost::asio;
using base::ErrorCode;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testlib::StatusIs;

constexpr base::WallTime kStart{std::chrono::seconds(1'800'000'000)};

template <typename T>
T RunToEnd(asio::awaitable<T> task) {
  asio::io_context io;
  std::optional<T> result;
  asio::co_spawn(io, std::move(task), [&](std::exception_ptr, T value) {
    result = std::move(value);
  });
  io.run();
  return *std::move(result);
}

void RunToEnd(asio::awaitable<void> task) {
  asio::io_context io;
  asio::co_spawn(io, std::move(task), asio::detached);
  io.run();
}

TEST(XksQuotas, LetsThroughWhatASecondAllows) {
  base::FakeClock clock(kStart);
  Quotas quotas(clock);
  TenantSettings tenant;
  tenant.name = "a";
  tenant.requests_per_second = 3;
  TenantSettings other;
  other.name = "b";
  for (int i = 0; i < 3; ++i) {
    EXPECT_OK(quotas.Take(tenant));
  }
  EXPECT_THAT(quotas.Take(tenant), StatusIs(ErrorCode::kThrottled));
  EXPECT_OK(quotas.Take(other));
  clock.Advance(milliseconds(350));
  EXPECT_OK(quotas.Take(tenant));
  EXPECT_THAT(quotas.Take(tenant), StatusIs(ErrorCode::kThrottled));
  clock.Advance(seconds(100));  // What was not used does not add up.
  for (int i = 0; i < 3; ++i) {
    EXPECT_OK(quotas.Take(tenant));
  }
  EXPECT_THAT(quotas.Take(tenant), StatusIs(ErrorCode::kThrottled));
}

ExternalKey KeyOf(hsm::Algorithm algorithm) {
  ExternalKey key;
  key.tenant = "a";
  key.id = "k";
  key.created = kStart;
  ExternalKeyVersion& version = key.versions.emplace_back();
  version.version = 1;
  version.key_store = "default";
  version.created = kStart;
  version.ref.locator.bytes = {1, 2, 3};
  version.ref.algorithm = algorithm;
  return key;
}

class XksUsesTest : public testing::Test {
 protected:
  XksUsesTest() {
    auto opened =
        store::Store::Open({.path = (folder_ / "store.db").string()}, clock_);
    store_ = *std::move(opened);
  }

  void Insert(const ExternalKey& key) {
    EXPECT_OK(store_->WriteNow([&](store::Transaction& transaction) {
      return transaction.external_keys().InsertExternalKey(key);
    }));
  }

  std::uint64_t Reserve(const ExternalKey& key, std::uint64_t count) {
    std::uint64_t before = 0;
    EXPECT_OK(
        store_->WriteNow([&](store::Transaction& transaction) -> base::Status {
          ASSIGN_OR_RETURN(before,
                           transaction.external_keys().ReserveUses(
                               key.versions.front().ref.locator, count));
          return {};
        }));
    return before;
  }

  testlib::TempDir folder_;
  base::FakeClock clock_{kStart};
  std::unique_ptr<store::Store> store_;
};

TEST_F(XksUsesTest, ReservesInBlocksAndRepeatsNone) {
  const ExternalKey key = KeyOf(hsm::Algorithm::kAes256GcmCounter);
  Insert(key);
  Uses uses(*store_);
  for (int i = 0; i < 3; ++i) {
    EXPECT_OK(RunToEnd(uses.Count(key.versions.front())));
  }
  Uses after_restart(*store_);
  EXPECT_OK(RunToEnd(after_restart.Count(key.versions.front())));
  EXPECT_EQ(Reserve(key, 1), 2 * Uses::kBlock);
}

TEST_F(XksUsesTest, StopsBeforeTheLimit) {
  const ExternalKey key = KeyOf(hsm::Algorithm::kAes256GcmCounter);
  Insert(key);
  Reserve(key, Uses::kMost - Uses::kBlock);
  Uses uses(*store_);
  for (std::uint64_t i = 0; i < Uses::kBlock; ++i) {
    ASSERT_OK(RunToEnd(uses.Count(key.versions.front())));
  }
  EXPECT_THAT(RunToEnd(uses.Count(key.versions.front())),
              StatusIs(ErrorCode::kInvalidState));
  EXPECT_THAT(RunToEnd(uses.Count(key.versions.front())),
              StatusIs(ErrorCode::kInvalidState));
}

TEST_F(XksUsesTest, WarnsFromHalfOfTheLimitOn) {
  const ExternalKey key = KeyOf(hsm::Algorithm::kAes256GcmCounter);
  Insert(key);
  Reserve(key, Uses::kWarning - Uses::kBlock);
  const auto said = [&] {
    Uses uses(*store_);                  // Which begins with another block.
    testing::internal::CaptureStdout();  // Where it logs without InitLog.
    EXPECT_OK(RunToEnd(uses.Count(key.versions.front())));
    return testing::internal::GetCapturedStdout();
  };
  EXPECT_EQ(said(), "");
  EXPECT_THAT(said(), HasSubstr("has encrypted 2147483648 times; at "
                                "4294967296 it encrypts no more: rotate"));
}

TEST_F(XksUsesTest, DoesNotCountKeysThatDeriveMessageKeys) {
  const ExternalKey key = KeyOf(hsm::Algorithm::kXaes256Gcm);
  Insert(key);
  Uses uses(*store_);
  EXPECT_OK(RunToEnd(uses.Count(key.versions.front())));
  EXPECT_EQ(Reserve(key, 1), 0U);
}

TEST(XksHealth, IsThatOfTheLastTrialAndNeverOld) {
  base::FakeClock clock(kStart);
  base::Status outcome;
  milliseconds takes{0};
  Health health(clock, [&]() -> asio::awaitable<base::Status> {
    clock.Advance(takes);
    co_return outcome;
  });
  health.Describe("default", "A token");
  EXPECT_EQ(health.Status(), "UNAVAILABLE");
  RunToEnd(health.Try());
  EXPECT_EQ(health.Status(), "ACTIVE");
  clock.Advance(seconds(60));
  EXPECT_EQ(health.Status(), "ACTIVE");
  clock.Advance(milliseconds(1));
  EXPECT_EQ(health.Status(), "UNAVAILABLE");
  takes = milliseconds(101);
  RunToEnd(health.Try());
  EXPECT_EQ(health.Status(), "DEGRADED");
  outcome = base::Error{ErrorCode::kHsmUnavailable, "gone"};
  RunToEnd(health.Try());
  EXPECT_EQ(health.Status(), "UNAVAILABLE");
  base::WipingString text;
  health.Write(text);
  const auto body = nlohmann::json::parse(text);
  EXPECT_EQ(body["ekmFleetDetails"][0]["healthStatus"], "UNAVAILABLE");
  EXPECT_EQ(body["ekmFleetDetails"][0]["id"], "default");
  EXPECT_EQ(body["ekmFleetDetails"][0]["model"], "A token");
}

TEST(XksHealth, IsDegradedByCallsThatTheTokenFails) {
  base::FakeClock clock(kStart);
  Health health(clock, []() -> asio::awaitable<base::Status> {
    co_return base::Status();
  });
  RunToEnd(health.Try());
  const auto note = [&](int times, std::optional<ErrorCode> code) {
    const base::Error error = {code.value_or(ErrorCode::kInternal), ""};
    for (int i = 0; i < times; ++i) {
      health.NoteCall(code ? &error : nullptr);
    }
  };
  note(2, ErrorCode::kHsmUnavailable);
  EXPECT_EQ(health.Status(), "ACTIVE");  // Too few to say.
  note(1, ErrorCode::kTimeout);
  EXPECT_EQ(health.Status(), "DEGRADED");
  note(27, {});
  EXPECT_EQ(health.Status(), "DEGRADED");
  note(1, {});
  EXPECT_EQ(health.Status(), "ACTIVE");  // Less than a tenth.
  note(1, ErrorCode::kInternal);
  EXPECT_EQ(health.Status(), "DEGRADED");
  RunToEnd(health.Try());
  EXPECT_EQ(health.Status(), "DEGRADED");  // That was a moment ago.
  RunToEnd(health.Try());
  EXPECT_EQ(health.Status(), "ACTIVE");
}

TEST(XksHealth, IsNotThatOfTheRequests) {
  base::FakeClock clock(kStart);
  Health health(clock, []() -> asio::awaitable<base::Status> {
    co_return base::Status();
  });
  RunToEnd(health.Try());
  for (const ErrorCode code :
       {ErrorCode::kInvalidCiphertext, ErrorCode::kNotFound,
        ErrorCode::kThrottled, ErrorCode::kUnsupportedOperation}) {
    const base::Error error = {code, ""};
    for (int i = 0; i < 10; ++i) {
      health.NoteCall(&error);
    }
  }
  EXPECT_EQ(health.Status(), "ACTIVE");
}

TEST(XksTenants, HaveTheirOwnKeysAndCredentials) {
  TenantSettings a;
  a.name = "a";
  a.uri_prefix = "/a";
  TenantSettings b;
  b.name = "b";
  TenantSource source({a, b});
  EXPECT_NE(source.current()->FindByPrefix("/a"), nullptr);
  EXPECT_EQ(source.current()->FindByPrefix("/c"), nullptr);

  store::ExternalKeyRows rows;
  rows.revision = 7;
  rows.keys = {KeyOf(hsm::Algorithm::kXaes256Gcm)};
  rows.credentials = {
      {.access_key_id = "ONE", .tenant = "a"},
      {.access_key_id = "TWO", .tenant = "a"},  // Its secret cannot be opened.
      {.access_key_id = "OTHER", .tenant = "gone"}};
  const auto secret =
      std::make_shared<const base::Secret>(base::Secret::CopyOf("s"));
  source.Replace(std::make_shared<const Tenants>(
      source.settings(), rows,
      Tenants::Secrets{{"ONE", secret}, {"OTHER", secret}}));
  const auto now = source.current();
  const Tenant* const tenant = now->FindByName("a");
  EXPECT_NE(tenant->FindKey("k"), nullptr);
  EXPECT_EQ(tenant->FindSecret("ONE"), secret);
  EXPECT_EQ(tenant->FindSecret("TWO"), nullptr);
  EXPECT_EQ(tenant->FindSecret("OTHER"), nullptr);
  EXPECT_EQ(now->FindByName("b")->FindKey("k"), nullptr);
  EXPECT_EQ(now->FindByName("b")->FindSecret("ONE"), nullptr);
  EXPECT_EQ(now->FindByName("gone"), nullptr);

  rows.revision = 6;  // What is older does not come back.
  rows.keys.clear();
  source.Replace(std::make_shared<const Tenants>(source.settings(), rows,
                                                 Tenants::Secrets()));
  EXPECT_NE(source.current()->FindByName("a")->FindKey("k"), nullptr);
  EXPECT_TRUE(source.current()->HasRowsOf("gone"));
  EXPECT_FALSE(source.current()->HasRowsOf("b"));
}

TEST(XksTenants, KnowThatTheyAreBehindTheStore) {
  TenantSource source({});
  store::ExternalKeyRows rows;
  rows.revision = 7;
  source.Replace(std::make_shared<const Tenants>(source.settings(), rows,
                                                 Tenants::Secrets()));
  source.FallBehind(7);
  EXPECT_FALSE(source.is_behind());
  source.FallBehind(8);
  EXPECT_TRUE(source.is_behind());
  rows.revision = 8;
  source.Replace(std::make_shared<const Tenants>(source.settings(), rows,
                                                 Tenants::Secrets()));
  EXPECT_FALSE(source.is_behind());
}

}  // namespace
}  // namespace kms::xks
