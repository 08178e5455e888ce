// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_KMS_OPERATIONS_TESTING_H_
#define TESTS_KMS_OPERATIONS_TESTING_H_

#include <gtest/gtest.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "kms/identity/principals.h"
#include "kms/managed_keys.h"
#include "kms/operations/api_service.h"
#include "kms/operations/bootstrap.h"
#include "kms/operations/counters.h"
#include "kms/operations/custom_key_stores/source.h"
#include "kms/operations/deletion.h"
#include "kms/operations/last_usage.h"
#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"

// What the tests of whole operations share: everything is real but the clock
// and the wish of the audit log to work.
namespace kms::operations {

inline constexpr std::string_view kAccount = "111122223333";
inline constexpr std::string_view kOtherAccount = "444455556666";
inline constexpr std::string_view kRegion = "eu-west-1";

// A Log that fails when it is told to, before the real one hears of it.
class RefusingLog final : public audit::Log {
 public:
  explicit RefusingLog(std::unique_ptr<audit::Log> log)
      : log_(std::move(log)) {}

  bool refuses = false;
  int refuses_after = -1;  // So many more events; negative: it does not.

  boost::asio::awaitable<base::Status> Append(std::string event) override;
  base::Status AppendNow(std::string event) override;
  audit::LogHealth health() const override;
  void Close() override { log_->Close(); }

 private:
  bool Refuses();

  std::unique_ptr<audit::Log> log_;
};

// Where a request comes from; by default the administrator's, over HTTPS.
struct From {
  Caller caller = identity::Administrator(kAccount);
  std::string_view service = "TrentService";
  std::string_view region = kRegion;
  Door door = Door::kHttps;
  std::string_view referer = {};
  std::string_view source_arn = {};
};

// A server without its doors, in a folder of its own. Its store begins with the
// accounts and users that tests name: MakePeople in the .cc file. The workers
// (SoftHSM behind a supervisor) are the program's: they are started once,
// before the first thread, and their token is shared by all tests.
class OperationsTest : public testing::Test {
 protected:
  static void SetUpTestSuite();

  OperationsTest() { Open(); }
  ~OperationsTest() override { Close(); }

  // The process starts on the same folder and ends; Restart is both.
  void Open();
  void Close();
  void Restart() {
    Close();
    Open();
  }

  // As at a start where the configuration says so of the key store.
  void Place(Placement placement);
  void RestartAs(Placement placement) {
    Restart();
    Place(placement);
  }

  Environment& environment() { return server_->environment; }
  KeyStore& key_store() { return environment().key_stores.primary(); }
  boost::asio::io_context& io() { return io_; }
  Organization& organization() { return server_->organization; }
  store::Store& store() { return *server_->store; }
  hsm::client::Client& hsm() { return server_->hsm; }
  DeletionGuard& guard() { return *server_->guard; }
  RefusingLog& log() { return *server_->log; }
  std::string log_folder() const { return folder_.path() / "audit"; }

  // Passes a request through the service; the reply's JSON, or {}.
  base::Result<nlohmann::json> Ask(std::string_view operation,
                                   const nlohmann::json& input,
                                   const From& from = {});
  base::Result<nlohmann::json> AskText(std::string_view operation,
                                       std::string_view body,
                                       const From& from = {});

  // The same, to be awaited.
  boost::asio::awaitable<base::Result<nlohmann::json>> Send(
      std::string operation, nlohmann::json input);
  boost::asio::awaitable<base::Result<nlohmann::json>> SendFrom(
      From from, std::string operation, nlohmann::json input);
  // Passes requests through the service at the same time; the replies in the
  // same order.
  std::vector<base::Result<nlohmann::json>> AskTogether(
      const std::vector<std::pair<std::string, nlohmann::json>>& requests,
      const From& from = {});

  // A new key's id; a ciphertext of `plaintext` under it, in base64.
  std::string NewKey();
  std::string NewKeyOf(std::string_view spec, std::string_view usage);
  std::string Encrypted(const std::string& key, std::string_view plaintext);

  // The audit log's events from the first on, whole and as text.
  std::vector<nlohmann::json> Events() const;
  std::string LogText() const;
  // How many events of this name without an error.
  int CountEvents(std::string_view name) const;

  // Whether the token has an object with this locator.
  bool OnToken(const hsm::Locator& locator);

  // Awaits `task` and returns its result.
  template <typename T>
  T Run(boost::asio::awaitable<T> task) {
    std::optional<T> result;
    auto run = [](boost::asio::awaitable<T> inner,
                  std::optional<T>& out) -> boost::asio::awaitable<void> {
      out.emplace(co_await std::move(inner));
    };
    boost::asio::co_spawn(io_, run(std::move(task), result),
                          boost::asio::detached);
    io_.restart();
    while (!result && io_.run_one() > 0) {
    }
    return *std::move(result);
  }
  void RunVoid(boost::asio::awaitable<void> task);

  // Awaits all tasks, which start in this order.
  template <typename... T>
  void RunTogether(boost::asio::awaitable<T>... tasks) {
    std::size_t running = sizeof...(tasks);
    (boost::asio::co_spawn(
         io_, std::move(tasks),
         [&running](const std::exception_ptr&, auto&&...) { --running; }),
     ...);
    io_.restart();
    while (running > 0 && io_.run_one() > 0) {
    }
  }

  testlib::TempDir folder_;
  base::FakeClock clock_{base::WallTime(std::chrono::seconds(1795342500))};
  hsm::Algorithm algorithm_ = hsm::Algorithm::kXaes256Gcm;  // At Open.

 private:
  boost::asio::awaitable<base::Result<nlohmann::json>> Handle(
      std::string_view operation, std::string_view body, const From& from);

  struct Server {
    Server(boost::asio::io_context& io, const base::Clock& clock,
           const std::string& folder, hsm::Algorithm algorithm);

    Organization organization;
    PolicyAuthorizer policies{organization};
    ManagedKeyRules authorizer{policies};
    std::unique_ptr<store::Store> store;
    std::unique_ptr<identity::DirectorySource> directory;
    CustomKeyStoreSource custom_key_stores;
    std::unique_ptr<DeletionGuard> guard;
    LastUsage last_usage;
    std::unique_ptr<RefusingLog> log;
    Counters counters;
    hsm::client::Client hsm;
    Environment environment;
    ApiService service;
  };

  boost::asio::io_context io_{1};
  std::unique_ptr<Server> server_;
};

}  // namespace kms::operations

#endif  // TESTS_KMS_OPERATIONS_TESTING_H_
