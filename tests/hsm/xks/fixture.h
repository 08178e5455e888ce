// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_HSM_XKS_FIXTURE_H_
#define TESTS_HSM_XKS_FIXTURE_H_

#include <gtest/gtest.h>
#include <poll.h>

#include <deque>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "hsm/xks/transport.h"
#include "tests/fakes/xks_proxy.h"
#include "tests/hsm/xks/requests.h"
#include "tests/testlib/authority.h"
#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"

namespace hsm_test {

// A proxy under the name kHost, and a Transport that is sent to it and trusts
// its authority.
class XksTest : public testing::Test {
 protected:
  XksTest() {
    settings_.ca_file = WriteFile("ca.pem", authority_.certificate());
  }

  std::string WriteFile(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }

  void StartProxy(fakes::XksProxy::AnswerFn answer,
                  const std::string& client_authority = "") {
    proxy_ = std::make_unique<fakes::XksProxy>(identity_, std::move(answer),
                                               client_authority);
    SendTo(proxy_->port());
  }
  // Where connections to kHost go.
  void SendTo(std::uint16_t port) {
    settings_.connect_to = {testlib::Take(hsm::xks::ParseConnectTo(
        std::string(kHost) + ":443:127.0.0.1:" + std::to_string(port)))};
  }
  // With the settings as they are then.
  hsm::xks::Transport& transport() {
    if (transport_ == nullptr) {
      transport_ =
          testlib::Take(hsm::xks::Transport::Create(settings_, clock_));
    }
    return *transport_;
  }

  // Begins to ask; the reply will be in the result.
  std::optional<hsm::XksReply>& Begin(const hsm::XksRequest& request) {
    std::optional<hsm::XksReply>& place = replies_.emplace_back();
    auto at_once = testlib::Take(
        transport().Ask(request, [&place](base::Result<hsm::XksReply> reply) {
          place = testlib::Take(std::move(reply));
        }));
    if (at_once) {
      place = *std::move(at_once);
    }
    return place;
  }
  template <typename Condition>
  void RunUntil(Condition condition) {
    std::vector<pollfd> nobody;
    while (!condition()) {
      transport().Advance();
      if (!condition()) {
        ASSERT_OK(transport().Wait(nobody));
      }
    }
  }
  // Asks, and waits for the reply.
  hsm::XksReply Ask(const hsm::XksRequest& request) {
    std::optional<hsm::XksReply>& place = Begin(request);
    RunUntil([&] { return place.has_value(); });
    return *std::move(place);
  }

  base::RealClock clock_;
  testlib::TempDir folder_;
  testlib::Authority authority_;
  testlib::Identity identity_ = authority_.Issue(std::string(kHost));
  // Patient: no test is about how fast this machine is.
  hsm::xks::Settings settings_{.timeout = std::chrono::seconds{30}};
  std::deque<std::optional<hsm::XksReply>> replies_;
  std::unique_ptr<fakes::XksProxy> proxy_;
  std::unique_ptr<hsm::xks::Transport> transport_;
};

}  // namespace hsm_test

#endif  // TESTS_HSM_XKS_FIXTURE_H_
