// SPDX-License-Identifier: Apache-2.0
// What a client does to its host's OpenSSL.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <latch>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include "kms/client/client.h"
#include "kms/client/library.h"
#include "tests/kms/client_certificates.h"
#include "tests/kms/client_server.h"
#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"

namespace kms::client {
namespace {

using base::ErrorCode;
using testing::HasSubstr;
using testlib::StatusIs;
using testlib::Take;

TEST(LibraryContextTest, HasTheDefaultProviderAndNoOther) {
  const LibraryContext library = Take(LibraryContext::Create());
  EXPECT_EQ(OSSL_PROVIDER_available(library.get(), "default"), 1);
  int count = 0;
  OSSL_PROVIDER_do_all(
      library.get(),
      [](OSSL_PROVIDER*, void* counter) {
        ++*static_cast<int*>(counter);
        return 1;
      },
      &count);
  EXPECT_EQ(count, 1);
}

TEST(LibraryContextTest, LeavesTheHostsContextAlone) {
  // In a process of its own, whose default context no test has touched.
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    OSSL_PROVIDER* const host = OSSL_PROVIDER_load(nullptr, "null");
    const LibraryContext library = Take(LibraryContext::Create());
    EVP_MD* const ours = EVP_MD_fetch(library.get(), "SHA256", nullptr);
    EVP_MD* const theirs = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    _exit(host != nullptr && ours != nullptr && theirs == nullptr ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(LibraryContextTest, GivesRandomNumbersUpToABound) {
  const LibraryContext library = Take(LibraryContext::Create());
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t number = library.RandomUpTo(3);
    ASSERT_LE(number, 3U);
    seen.insert(number);
  }
  EXPECT_EQ(seen.size(), 4U);
  EXPECT_EQ(library.RandomUpTo(0), 0U);
}

// OpenSSL looks into it when the thread ends.
TEST(LibraryContextTest, OutlivesTheThreadsThatHadRandomNumbersOfIt) {
  auto library =
      std::make_unique<LibraryContext>(Take(LibraryContext::Create()));
  const OSSL_LIB_CTX* const before = library->get();
  std::latch used{1};
  std::latch gone{1};
  std::thread other([&] {
    static_cast<void>(library->RandomUpTo(1));
    used.count_down();
    gone.wait();
  });
  used.wait();
  library.reset();
  gone.count_down();
  other.join();
  // And the next one is the same.
  EXPECT_EQ(Take(LibraryContext::Create()).get(), before);
}

// Two errors as a host would raise them.
void RaiseHostErrors() {
  ERR_clear_error();
  ERR_raise_data(ERR_LIB_USER, 7, "of the host");
  ERR_raise(ERR_LIB_EVP, 8);
}

void ExpectHostErrors() {
  const char* text = nullptr;
  int flags = 0;
  const unsigned long first =
      ERR_get_error_all(nullptr, nullptr, nullptr, &text, &flags);
  EXPECT_EQ(ERR_GET_LIB(first), ERR_LIB_USER);
  EXPECT_EQ(ERR_GET_REASON(first), 7);
  EXPECT_STREQ(text, "of the host");
  const unsigned long second = ERR_get_error();
  EXPECT_EQ(ERR_GET_LIB(second), ERR_LIB_EVP);
  EXPECT_EQ(ERR_GET_REASON(second), 8);
  EXPECT_EQ(ERR_get_error(), 0U);
}

TEST(HostErrorsTest, PutsBackWhatWasThereAndNothingElse) {
  RaiseHostErrors();
  {
    const HostErrors errors;
    EXPECT_EQ(ERR_peek_error(), 0U);
    ERR_raise(ERR_LIB_SSL, 1);
  }
  ExpectHostErrors();
}

TEST(HostErrorsTest, PutsBackMarks) {
  RaiseHostErrors();
  ERR_set_mark();
  ERR_raise_data(ERR_LIB_USER, 9, "above the mark");
  {
    const HostErrors errors;
    ERR_set_mark();
    ERR_raise_data(ERR_LIB_SSL, 1, "of ours");
    const HostErrors inside;
    ERR_clear_error();
  }
  EXPECT_EQ(ERR_GET_REASON(ERR_peek_last_error()), 9);
  EXPECT_EQ(ERR_pop_to_mark(), 1);
  ExpectHostErrors();
}

class GuestTest : public testing::Test {
 protected:
  GuestTest() : authority_({.name = "ca", .is_authority = true}) {
    authority_.WriteCertificate(Path("ca.pem"));
    const Certificate server(
        {.name = "server", .alternative_names = "IP:127.0.0.1"}, &authority_);
    server.WriteCertificate(Path("cert.pem"));
    server.WriteKey(Path("key.pem"));
  }

  std::string Path(std::string_view name) { return (folder_ / name).string(); }

  base::Result<std::unique_ptr<Client>> ClientOf(Endpoint endpoint) {
    Options options;
    options.endpoint = std::move(endpoint);
    options.ca_file = Path("ca.pem");
    options.credentials.emplace(
        base::SigV4Credentials{"AKID", base::Secret::CopyOf("s"), ""});
    return Client::Create(std::move(options), clock_);
  }

  void WriteAuthorities(const std::string& text) {
    std::ofstream(Path("ca.pem")) << text;
  }
  std::string ReadAuthorities() {
    std::ifstream in(Path("ca.pem"));
    return {std::istreambuf_iterator<char>(in), {}};
  }

  testlib::TempDir folder_;
  base::RealClock clock_;
  Certificate authority_;
};

TEST_F(GuestTest, KeepsTheHostsErrorsThroughACall) {
  ScriptedServer server({Answer({Reply("{}")})}, Path("cert.pem"),
                        Path("key.pem"));
  RaiseHostErrors();
  const auto client = Take(ClientOf(server.endpoint()));
  EXPECT_OK(client->Call("Sign", "{}"));
  ExpectHostErrors();
}

TEST_F(GuestTest, KeepsTheHostsErrorsWhenACallFails) {
  ScriptedServer server({[](Peer& peer) {
    peer.Send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    peer.WaitForClose();
  }});
  Endpoint endpoint = server.endpoint();
  endpoint.transport = Transport::kHttps;
  RaiseHostErrors();
  const auto client = Take(ClientOf(endpoint));
  EXPECT_THAT(client->Call("Sign", "{}"), StatusIs(ErrorCode::kCorrupt));
  ExpectHostErrors();
}

TEST_F(GuestTest, TrustsEveryCertificateOfAFile) {
  const Certificate other({.name = "other", .is_authority = true});
  const std::string ours = ReadAuthorities();
  other.WriteCertificate(Path("ca.pem"));
  WriteAuthorities("a comment\n" + ReadAuthorities() + "another\n" + ours);
  ScriptedServer server({Answer({Reply("{}")})}, Path("cert.pem"),
                        Path("key.pem"));
  EXPECT_OK(Take(ClientOf(server.endpoint()))->Call("Sign", "{}"));
}

TEST_F(GuestTest, RefusesAFileWithADamagedCertificate) {
  const std::string good = ReadAuthorities();
  const Endpoint endpoint = Take(ParseEndpoint("https://localhost"));
  EXPECT_OK(ClientOf(endpoint));
  for (const std::string& text :
       {std::string("nothing"), good + good.substr(0, good.size() / 2),
        good + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n"
        "DEK-Info: AES-128-CBC,00000000000000000000000000000000\n\n"
        "AAAA\n-----END CERTIFICATE-----\n" +
            good}) {
    WriteAuthorities(text);
    EXPECT_THAT(ClientOf(endpoint),
                StatusIs(ErrorCode::kInvalidArgument, HasSubstr("ca.pem")))
        << text;
  }
}

}  // namespace
}  // namespace kms::client
