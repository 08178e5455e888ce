// SPDX-License-Identifier: Apache-2.0
// The XKS proxy on a token: what becomes of a request whose signature is right.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "kms/xks/proxy.h"
#include "tests/fakes/softhsm_token.h"
#include "tests/hsm/client_fixture.h"
#include "tests/testlib/temp_dir.h"

namespace kms::xks {
namespace {

using base::ErrorCode;
using hsm::Algorithm;
using nlohmann::json;
using std::chrono::milliseconds;
using testlib::StatusIs;
using testlib::Take;

constexpr const char* kTenant = "team-a";
constexpr const char* kKey = "key-1";
constexpr const char* kKeyStore = "vault";

// Keeps in memory what is to be recorded.
class MemoryLog final : public audit::Log {
 public:
  boost::asio::awaitable<base::Status> Append(std::string event) override {
    events_.push_back(json::parse(event));
    co_return base::Status();
  }
  base::Status AppendNow(std::string event) override {
    events_.push_back(json::parse(event));
    return {};
  }
  audit::LogHealth health() const override { return {}; }
  void Close() override {}

  const json& last() const { return events_.back(); }

 private:
  std::vector<json> events_;
};

// Whoever looks at it twice sees that time has passed.
class TickingClock final : public base::Clock {
 public:
  static constexpr milliseconds kTick{7};

  base::WallTime Now() const override { return {}; }
  base::MonotonicTime Monotonic() const override { return now_ += kTick; }

 private:
  mutable base::MonotonicTime now_{0};
};

std::string EncryptBody() {
  return json{{"requestMetadata",
               {{"awsPrincipalArn", "arn:aws:iam::111122223333:user/Alice"},
                {"kmsOperation", "GenerateDataKey"},
                {"kmsKeyArn", "arn:aws:kms:us-east-1:111122223333:key/k"},
                {"kmsRequestId", "4112f4d6"},
                {"kmsViaService", "ebs"}}},
              {"plaintext", "cGxhaW50ZXh0"},
              {"encryptionAlgorithm", "AES_GCM"}}
      .dump();
}

std::string DecryptBody(const json& sealed) {
  json body = json::parse(EncryptBody());
  body.erase("plaintext");
  body.update(sealed);
  return body.dump();
}

class XksProxyTest : public hsm_test::ClientTest {
 protected:
  XksProxyTest() : ClientTest(1) {}

  void SetUp() override {
    supervised_.options().prepare = hsm::OnToken([this] {
      static const base::RealClock clock;
      return hsm::token::Token::Open(token_.Config(), clock);
    });
    Start();  // Forks, and so comes before the store's thread.
    store_ = Take(
        store::Store::Open({.path = (folder_ / "store.db").string()}, clock_));
    settings_.name = kTenant;
    Restart();
  }

  // The program ends and starts again.
  void Restart() {
    proxy_ = std::make_unique<Proxy>(Foundation{.io = io_,
                                                .hsm = *client_,
                                                .store = *store_,
                                                .log = log_,
                                                .clock = ticking_,
                                                .health = health_},
                                     64);
  }

  // A version of the key that the token has, and the store not yet.
  ExternalKeyVersion NewVersion(std::uint32_t number, Algorithm algorithm) {
    ExternalKeyVersion version;
    version.version = number;
    version.key_store = kKeyStore;
    version.ref.algorithm = algorithm;
    base::RandomBytes(version.ref.locator.bytes);
    version.check_value = BoundCheckValue(
        kTenant, kKey, number,
        Take(Run(client_->Call(hsm::GenerateKeyRequest{version.ref})))
            .check_value,
        base::ThreadHasher());
    return version;
  }

  void Create(Algorithm algorithm) {
    ExternalKey key;
    key.tenant = kTenant;
    key.id = kKey;
    key.versions = {NewVersion(1, algorithm)};
    EXPECT_OK(store_->WriteNow([&](store::Transaction& transaction) {
      return transaction.external_keys().InsertExternalKey(key);
    }));
  }

  void Rotate(std::uint32_t number, Algorithm algorithm) {
    const ExternalKeyVersion version = NewVersion(number, algorithm);
    EXPECT_OK(store_->WriteNow([&](store::Transaction& transaction) {
      return transaction.external_keys().AddVersion(kTenant, kKey, version);
    }));
  }

  // As if the key's only version had encrypted so often.
  void Use(std::uint64_t times) {
    const auto key = Take(store_->ReadExternalKeys()).keys.front();
    EXPECT_OK(
        store_->WriteNow([&](store::Transaction& transaction) -> base::Status {
          RETURN_IF_ERROR(transaction.external_keys().ReserveUses(
              key.versions.front().ref.locator, times));
          return {};
        }));
  }

  base::Result<json> Ask(Operation operation, const std::string& body) {
    const Tenants tenants({settings_}, Take(store_->ReadExternalKeys()), {});
    const Request request = {.tenant = *tenants.FindByName(kTenant),
                             .operation = operation,
                             .key_id = kKey,
                             .access_key_id = "XKSKAAAAAAAAAAAAAAAA",
                             .region = "us-east-1",
                             .source_address = "192.0.2.7",
                             .user_agent = "a KMS",
                             .body = body};
    auto reply = Run(proxy_->Handle(request));
    // Others may be at work on this machine.
    while (!reply && reply.error().code == ErrorCode::kTimeout) {
      reply = Run(proxy_->Handle(request));
    }
    if (!reply) {
      return reply.error();
    }
    return json::parse(*reply);
  }

  base::Result<json> Encrypt() {
    return Ask(Operation::kEncrypt, EncryptBody());
  }

  fakes::SoftHsmToken token_;
  testlib::TempDir folder_;
  MemoryLog log_;
  TickingClock ticking_;
  Health health_{clock_, []() -> boost::asio::awaitable<base::Status> {
                   co_return base::Status();
                 }};
  TenantSettings settings_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Proxy> proxy_;
};

// NIST SP 800-38D, 8.3: with random IVs a key encrypts 2^32 times, whoever asks
// and however often the program starts.
TEST_F(XksProxyTest, AKeyWithRandomIvsStopsAtTheLimitUntilItIsRotated) {
  Create(Algorithm::kAes256GcmCounter);
  Use(Uses::kMost - Uses::kBlock);
  const auto last = Encrypt();
  ASSERT_OK(last);
  Restart();
  const auto refused = Encrypt();
  EXPECT_THAT(refused, StatusIs(ErrorCode::kInvalidState,
                                testing::HasSubstr("rotate it")));
  EXPECT_EQ(log_.last().value("errorCode", ""), "InvalidStateException");
  ASSERT_OK_AND_ASSIGN(const json opened,
                       Ask(Operation::kDecrypt, DecryptBody(*last)));
  EXPECT_EQ(opened["plaintext"], "cGxhaW50ZXh0");

  Rotate(2, Algorithm::kAes256GcmCounter);
  ASSERT_OK_AND_ASSIGN(const json sealed, Encrypt());
  EXPECT_EQ(sealed["ciphertextMetadata"], "AQAAAAI=");  // 1, and version 2.
}

TEST_F(XksProxyTest, AKeyThatDerivesMessageKeysHasNoSuchLimit) {
  Create(Algorithm::kXaes256Gcm);
  Use(Uses::kMost);
  EXPECT_OK(Encrypt());
}

// docs/audit.md: whoever reads the record finds the same request in the records
// of the KMS that sent it.
TEST_F(XksProxyTest, ARecordTellsForWhomTheKeyWasAskedAndWhatItTook) {
  Create(Algorithm::kXaes256Gcm);
  json told = {{"tenant", kTenant},
               {"externalKeyId", kKey},
               {"milliseconds", TickingClock::kTick.count()},
               {"kmsRequestId", "4112f4d6"},
               {"kmsOperation", "GenerateDataKey"},
               {"kmsKeyArn", "arn:aws:kms:us-east-1:111122223333:key/k"},
               {"kmsViaService", "ebs"}};
  ASSERT_OK(Ask(Operation::kMetadata, EncryptBody()));
  EXPECT_EQ(log_.last()["requestParameters"], told);

  json body = json::parse(EncryptBody());
  body["requestMetadata"].erase("kmsKeyArn");
  body["requestMetadata"].erase("kmsViaService");
  ASSERT_OK(Ask(Operation::kMetadata, body.dump()));
  json less = told;
  less.erase("kmsKeyArn");
  less.erase("kmsViaService");
  EXPECT_EQ(log_.last()["requestParameters"], less);

  ASSERT_OK(Encrypt());
  told["keyVersion"] = 1;
  told["keyStore"] = kKeyStore;
  told["milliseconds"] = log_.last()["requestParameters"]["milliseconds"];
  EXPECT_EQ(log_.last()["requestParameters"], told);
}

}  // namespace
}  // namespace kms::xks
