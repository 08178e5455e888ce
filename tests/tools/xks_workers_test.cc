// SPDX-License-Identifier: Apache-2.0
// clavigerd's way to an XKS proxy, whole: its connections, the program
// claviger-hsm as a development server starts it, and the proxy.
#include "tools/clavigerd/xks_workers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "hsm/xks/addresses.h"
#include "tests/fakes/xks_proxy.h"
#include "tests/hsm/xks/requests.h"
#include "tests/testlib/authority.h"
#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"
#include "tools/setup/setup.h"

namespace tools {
namespace {

namespace asio = boost::asio;

using base::ErrorCode;
using hsm::XksOutcome;
using hsm::XksReply;
using hsm_test::EncryptOf;
using testing::HasSubstr;
using testlib::StatusIs;
using testlib::Take;

class XksWorkersTest : public testing::Test {
 protected:
  XksWorkersTest() {
    setenv("PATH", CLAVIGER_BIN, 1);
    client_.socket = folder_ / "xks.sock";
    client_.settings.timeout = std::chrono::milliseconds{8000};
    client_.settings.ca_file = Write("ca.pem", authority_.certificate());
    client_.settings.client_certificate = Write("c.pem", me_.certificate);
    client_.settings.client_key = Write("c.key", me_.key);
  }

  std::string Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    chmod((folder_ / name).c_str(), 0600);
    return folder_ / name;
  }

  void StartProxy() {
    proxy_ = std::make_unique<fakes::XksProxy>(
        authority_.Issue(std::string(hsm_test::kHost)), fakes::Honest,
        authority_.certificate());
    SendTo(proxy_->port());
  }
  void SendTo(std::uint16_t port) {
    client_.settings.connect_to = {Take(hsm::xks::ParseConnectTo(
        "xks.example.com:443:127.0.0.1:" + std::to_string(port)))};
  }
  // The workers, and the connections of an io thread to them.
  base::Status Connect() {
    RETURN_IF_ERROR(StartProgram());
    return ConnectOnly();
  }
  base::Status StartProgram() {
    ASSIGN_OR_RETURN(program_, setup::Workers::Start(client_));
    return {};
  }
  base::Status ConnectOnly() {
    workers_.emplace(io_, client_, clock_);
    return Run(workers_->Start());
  }

  template <typename T>
  static asio::awaitable<void> Store(asio::awaitable<T> task,
                                     std::optional<T>& result) {
    result.emplace(co_await std::move(task));
  }
  template <typename T>
  T Run(asio::awaitable<T> task) {
    std::optional<T> result;
    asio::co_spawn(io_, Store(std::move(task), result), asio::detached);
    io_.restart();
    while (!result && io_.run_one() > 0) {
    }
    return *std::move(result);
  }

  base::RealClock clock_;
  testlib::TempDir folder_;
  testlib::Authority authority_;
  testlib::Identity me_ = authority_.Issue("claviger");
  config::XksClient client_;
  std::unique_ptr<fakes::XksProxy> proxy_;
  setup::Workers program_;
  asio::io_context io_{1};
  std::optional<XksWorkers> workers_;
};

TEST_F(XksWorkersTest, AskTheProxy) {
  client_.workers = 2;
  StartProxy();
  ASSERT_OK(Connect());
  std::vector<std::optional<base::Result<XksReply>>> replies(100);
  for (auto& reply : replies) {
    asio::co_spawn(io_, Store(workers_->Ask(EncryptOf("text")), reply),
                   asio::detached);
  }
  io_.restart();
  const auto all_there = [&replies] {
    return std::ranges::all_of(
        replies, [](const auto& reply) { return reply.has_value(); });
  };
  while (!all_there() && io_.run_one() > 0) {
  }
  for (const auto& reply : replies) {
    ASSERT_OK(*reply);
    EXPECT_EQ((**reply).outcome, XksOutcome::kOk) << (**reply).message;
    EXPECT_EQ((**reply).sealed.ciphertext.size(), 4U);
    EXPECT_GT((**reply).microseconds, 0U);
  }
}

TEST_F(XksWorkersTest, AreThereWithoutAProxy) {
  StartProxy();
  proxy_.reset();
  ASSERT_OK(Connect());
  ASSERT_OK_AND_ASSIGN(const XksReply reply,
                       Run(workers_->Ask(EncryptOf("text"))));
  EXPECT_EQ(reply.outcome, XksOutcome::kNotReachable);
}

TEST_F(XksWorkersTest, AreMissedIfTheyDoNotRun) {
  EXPECT_THAT(ConnectOnly(),
              StatusIs(ErrorCode::kHsmUnavailable, HasSubstr("xks.sock")));
}

TEST_F(XksWorkersTest, SayWhichFileCannotBeUsed) {
  client_.settings.ca_file = folder_ / "none.pem";
  EXPECT_THAT(Connect(),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("none.pem")));
}

TEST_F(XksWorkersTest, RefuseAPrivateKeyThatOthersCanRead) {
  chmod(client_.settings.client_key.c_str(), 0644);
  EXPECT_THAT(Connect(),
              StatusIs(ErrorCode::kInvalidArgument, HasSubstr("c.key")));
}

}  // namespace
}  // namespace tools
