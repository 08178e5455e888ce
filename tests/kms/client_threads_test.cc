// SPDX-License-Identifier: Apache-2.0
// One client, many threads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "kms/client/client.h"
#include "tests/kms/client_certificates.h"
#include "tests/kms/client_server.h"
#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"

namespace kms::client {
namespace {

using testlib::Take;

constexpr int kThreads = 8;
constexpr int kCalls = 40;

class ClientThreadsTest : public testing::Test {
 protected:
  std::string Path(std::string_view name) const {
    return (folder_ / name).string();
  }

  std::unique_ptr<Client> ClientOf(Endpoint endpoint, Options options = {}) {
    options.endpoint = std::move(endpoint);
    if (options.endpoint.transport != Transport::kUnix) {
      options.credentials.emplace(
          base::SigV4Credentials{"AKID", base::Secret::CopyOf("s"), ""});
    }
    return Take(Client::Create(std::move(options), clock_));
  }

  // How many of many calls from many threads got the reply to their own
  // request.
  static int CallFromAll(Client& client) {
    std::atomic<int> good = 0;
    std::vector<std::thread> threads;
    threads.reserve(kThreads);
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&client, &good, thread] {
        for (int call = 0; call < kCalls; ++call) {
          const std::string body =
              std::to_string(thread) + "/" + std::to_string(call);
          const auto response = client.Call("CreateKey", body);
          good +=
              response.has_value() && std::string_view(response->body) == body
                  ? 1
                  : 0;
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    return good;
  }

  testlib::TempDir folder_;
  base::RealClock clock_;
};

TEST_F(ClientThreadsTest, EachGetsItsOwnReplies) {
  ScriptedServer server(Path("s"), ScriptedServer::Always{Echo});
  const auto client = ClientOf(server.endpoint());
  EXPECT_EQ(CallFromAll(*client), kThreads * kCalls);
  EXPECT_LE(server.connections(), kThreads);  // All are kept.
}

TEST_F(ClientThreadsTest, EachSignsAndEncrypts) {
  const Certificate authority({.name = "ca", .is_authority = true});
  authority.WriteCertificate(Path("ca.pem"));
  const Certificate certificate(
      {.name = "server", .alternative_names = "IP:127.0.0.1"}, &authority);
  certificate.WriteCertificate(Path("cert.pem"));
  certificate.WriteKey(Path("key.pem"));
  ScriptedServer server(Path("cert.pem"), Path("key.pem"),
                        ScriptedServer::Always{Echo});
  Options options;
  options.ca_file = Path("ca.pem");
  const auto client = ClientOf(server.endpoint(), std::move(options));
  EXPECT_EQ(CallFromAll(*client), kThreads * kCalls);
  EXPECT_LE(server.connections(), kThreads);
}

TEST_F(ClientThreadsTest, RunSideBySide) {
  // No reply leaves before all requests have arrived.
  std::barrier everyone(kThreads);
  ScriptedServer server(Path("s"), ScriptedServer::Always{[&](Peer& peer) {
                          const std::string request = peer.ReadRequest();
                          everyone.arrive_and_wait();
                          peer.Send(Reply(BodyOf(request)));
                        }});
  const auto client = ClientOf(server.endpoint());
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  std::atomic<int> good = 0;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back(
        [&] { good += client->Call("CreateKey", "{}").has_value() ? 1 : 0; });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(good, kThreads);
}

TEST_F(ClientThreadsTest, SignWhileCredentialsChange) {
  ScriptedServer server("", ScriptedServer::Always{Echo});
  Options options;
  options.credential_files.emplace();
  options.credential_files->credentials = {Path("credentials"), true};
  const auto client = ClientOf(server.endpoint(), std::move(options));
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 0; !done; ++i) {
      std::ofstream(Path("new")) << "[default]\naws_access_key_id = A" << i
                                 << "\naws_secret_access_key = s\n";
      std::filesystem::rename(Path("new"), Path("credentials"));
    }
  });
  EXPECT_EQ(CallFromAll(*client), kThreads * kCalls);
  done = true;
  writer.join();
}

}  // namespace
}  // namespace kms::client
