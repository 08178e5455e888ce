// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/tools/config_testing.h"

namespace tools::config {
namespace {

using base::ErrorCode;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using testlib::IsOk;
using testlib::StatusIs;

TEST_F(ConfigTest, HasDefaults) {
  ASSERT_OK_AND_ASSIGN(const Config config, ReadWith(""));
  EXPECT_EQ(config.account, "111122223333");
  EXPECT_EQ(config.state, "/var/lib/claviger");
  EXPECT_EQ(config.region, "us-east-1");
  EXPECT_EQ(config.unix_socket, "/run/claviger/clavigerd.sock");
  EXPECT_FALSE(config.http.has_value());
  EXPECT_FALSE(config.https.has_value());
  EXPECT_FALSE(config.allow_unlocked_memory);
  EXPECT_FALSE(config.public_metrics);
  ASSERT_EQ(config.key_stores.size(), 1U);
  EXPECT_EQ(config.key_stores[0].socket, "/run/claviger-hsm/main.sock");
  EXPECT_EQ(config.key_stores[0].lock_dir, "/run/claviger-hsm");
  EXPECT_EQ(config.key_stores[0].workers, 2);
  EXPECT_THAT(config.key_stores[0].accept_risks, IsEmpty());
}

TEST_F(ConfigTest, TakesEveryKey) {
  ASSERT_OK_AND_ASSIGN(const Config config, ReadWith(R"(
state = "/s"
region = "eu-west-1"
[listen]
unix = "/u"
http = "127.0.0.1:8080"
https = "[::]:8443"
certificate = "/c"
private_key = "/k"
public_metrics = true
[server]
threads = 64
max_connections = 65536
max_requests_in_flight = 1
[audit]
segment_bytes = 1048576
segment_seconds = 60
low_space_bytes = 0
[memory]
secure_heap_bytes = 1073741824
allow_unlocked = true
[import]
strict_boundary = true
[hsm]
allowed_user = "me"
)"));
  EXPECT_EQ(config.state, "/s");
  EXPECT_EQ(config.region, "eu-west-1");
  EXPECT_EQ(config.unix_socket, "/u");
  ASSERT_TRUE(config.http && config.https);
  EXPECT_EQ(config.http->host, "127.0.0.1");
  EXPECT_EQ(config.http->port, 8080);
  EXPECT_EQ(config.https->host, "::");
  EXPECT_EQ(config.certificate, "/c");
  EXPECT_EQ(config.private_key, "/k");
  EXPECT_TRUE(config.public_metrics);
  EXPECT_EQ(config.threads, 64);
  EXPECT_EQ(config.max_connections, 65536);
  EXPECT_EQ(config.max_requests_in_flight, 1);
  EXPECT_EQ(config.segment_bytes, 1048576U);
  EXPECT_EQ(config.segment_seconds, 60U);
  EXPECT_EQ(config.low_space_bytes, 0U);
  EXPECT_EQ(config.secure_heap_bytes, 1073741824U);
  EXPECT_TRUE(config.allow_unlocked_memory);
  EXPECT_TRUE(config.strict_boundary);
  EXPECT_EQ(config.allowed_user, "me");
}

TEST_F(ConfigTest, TakesEveryKeyOfAKeyStore) {
  ASSERT_OK_AND_ASSIGN(const Config config,
                       Read("account = \"111122223333\"\n" +
                            std::string(kStore) + R"(socket = "/h.sock"
quirks = "softhsm"
lock_dir = "/l"
module_parameters = "configdir='/d'"
accept_risks = ["keys-can-be-wrapped-out", "copies-can-be-extractable"]
placement = "resident"
workers = 64
)"));
  const KeyStore& store = config.key_stores.at(0);
  EXPECT_EQ(store.name, "main");
  EXPECT_EQ(store.module, "/usr/lib/softhsm/libsofthsm2.so");
  EXPECT_EQ(store.token, "pkcs11:token=main");
  EXPECT_EQ(store.pin_file, "/etc/claviger/pin");
  EXPECT_EQ(store.socket, "/h.sock");
  EXPECT_EQ(store.quirks, "softhsm");
  EXPECT_EQ(store.lock_dir, "/l");
  EXPECT_EQ(store.module_parameters, "configdir='/d'");
  EXPECT_THAT(store.accept_risks, ElementsAre("keys-can-be-wrapped-out",
                                              "copies-can-be-extractable"));
  EXPECT_EQ(store.workers, 64);
}

TEST_F(ConfigTest, RefusesBadValuesWithFileAndLine) {
  const std::pair<const char*, const char*> cases[] = {
      {"state = 7", "state must be a text"},
      {"state = \"\"", "state must be a text that is not empty"},
      {"region = true", "region must be a text"},
      {"listen = 1", "listen must be a table: [listen]"},
      {"listen.unix = 1", "listen.unix must be a text"},
      {"listen.http = \"localhost\"", "is not ADDRESS:PORT"},
      {"listen.https = \"1.2.3.4:70000\"", "is not ADDRESS:PORT"},
      {"listen.certificate = []", "listen.certificate must be a text"},
      {"listen.private_key = {}", "listen.private_key must be a text"},
      {"listen.public_metrics = \"yes\"",
       "listen.public_metrics must be true or false"},
      {"server.threads = 0", "server.threads must be a whole number from 1"},
      {"server.threads = 65", "from 1 to 64"},
      {"server.threads = 1.5", "whole number"},
      {"server.threads = \"1\"", "whole number"},
      {"server.max_connections = 65537", "from 1 to 65536"},
      {"server.max_requests_in_flight = 0", "from 1 to 65536"},
      {"audit.segment_bytes = 1048575", "audit.segment_bytes must be"},
      {"audit.segment_seconds = 59", "audit.segment_seconds must be"},
      {"audit.low_space_bytes = -1", "audit.low_space_bytes must be"},
      {"memory.secure_heap_bytes = 1", "memory.secure_heap_bytes must be"},
      {"memory.allow_unlocked = 1", "memory.allow_unlocked must be true or"},
      {"import.strict_boundary = 1", "import.strict_boundary must be true or"},
      {"import.x = 1", "unknown key 'import.x'"},
      {"hsm.allowed_user = 0", "hsm.allowed_user must be a text"},
      {"stat = \"/s\"", "unknown key 'stat'; known here: "},
      {"listen.htp = \"\"", "unknown key 'listen.htp'"},
      {"server.x = 1", "unknown key 'server.x'"},
      {"audit.x = 1", "unknown key 'audit.x'"},
      {"memory.x = 1", "unknown key 'memory.x'"},
      {"hsm.pin = \"1\"", "unknown key 'hsm.pin'"},
      {"account = \"444455556666\"", ""},  // Twice.
      {"state = ", ""},                    // Not TOML.
  };
  for (const auto& [line, reason] : cases) {
    EXPECT_THAT(
        ReadWith(std::string(line) + "\n"),
        StatusIs(ErrorCode::kInvalidArgument,
                 testing::AllOf(StartsWith(path_ + ":2: "), HasSubstr(reason))))
        << line;
  }
}

TEST_F(ConfigTest, RefusesAKeyStoreThatLacksSomething) {
  const std::string whole(kStore);
  for (const std::string key : {"name", "module", "token", "pin_file"}) {
    std::string text = whole;
    const auto start = text.find(key + " =");
    text.erase(start, text.find('\n', start) + 1 - start);
    EXPECT_THAT(Read("account = \"111122223333\"\n" + text),
                StatusIs(ErrorCode::kInvalidArgument,
                         EndsWith("key_store." + key + " is missing")));
  }
}

TEST_F(ConfigTest, KeysAreResidentUnlessTheyAreToBeWrapped) {
  for (const auto& [line, wrapped] :
       {std::pair{"", false}, std::pair{"placement = \"resident\"", false},
        std::pair{"placement = \"wrapped\"", true}}) {
    const Config config = testlib::Take(
        Read("account = \"111122223333\"" + std::string(kStore) + line));
    EXPECT_EQ(config.key_stores.front().wrapped, wrapped) << line;
  }
}

TEST_F(ConfigTest, RefusesBadValuesOfAKeyStore) {
  const std::pair<const char*, const char*> cases[] = {
      {"workers = 0", "key_store.workers must be a whole number from 1 to 64"},
      {"workers = 65", "from 1 to 64"},
      {"socket = 1", "key_store.socket must be a text"},
      {"quirks = 1", "key_store.quirks must be a text"},
      {"lock_dir = 1", "key_store.lock_dir must be a text"},
      {"module_parameters = 1", "key_store.module_parameters must be a text"},
      {"accept_risks = \"keys-can-be-read\"",
       "key_store.accept_risks must be a list"},
      {"accept_risks = []", "with at least one of them"},
      {"accept_risks = [\"all\"]",
       "key_store.accept_risks has 'all'; known are keys-can-be-read, "
       "keys-can-be-made-readable, copies-can-be-extractable, "
       "keys-can-be-wrapped-out"},
      {"pin = \"1234\"", "unknown key 'key_store.pin'"},
      {"placement = \"Wrapped\"",
       "key_store.placement 'Wrapped' is neither \"resident\""},
      {"placement = 1", "key_store.placement must be a text"},
  };
  for (const auto& [line, reason] : cases) {
    EXPECT_THAT(
        Read("account = \"111122223333\"" + std::string(kStore) + line),
        StatusIs(ErrorCode::kInvalidArgument,
                 testing::AllOf(StartsWith(path_ + ":7: "), HasSubstr(reason))))
        << line;
  }
}

TEST_F(ConfigTest, TakesServicePrincipals) {
  ASSERT_OK_AND_ASSIGN(const Config config, ReadWith(R"(
[[service_principal]]
service = "s3.amazonaws.com"
unix_uid = 1001
[[service_principal]]
service = "s3.amazonaws.com"
access_key_id = "AKIA234567ABCDEFGHIJ"
secret_file = "/etc/claviger/s3"
)"));
  ASSERT_EQ(config.service_principals.size(), 2U);
  const ServicePrincipal& local = config.service_principals[0];
  EXPECT_EQ(local.service, "s3.amazonaws.com");
  EXPECT_EQ(local.unix_uid, 1001U);
  EXPECT_EQ(local.access_key_id, "");
  const ServicePrincipal& remote = config.service_principals[1];
  EXPECT_FALSE(remote.unix_uid.has_value());
  EXPECT_EQ(remote.access_key_id, "AKIA234567ABCDEFGHIJ");
  EXPECT_EQ(remote.secret_file, "/etc/claviger/s3");
}

TEST_F(ConfigTest, RefusesBadServicePrincipals) {
  const std::string service = "service = \"s3.amazonaws.com\"\n";
  const std::string key = "access_key_id = \"AKIA234567ABCDEFGHIJ\"\n";
  const std::pair<std::string, const char*> cases[] = {
      {"unix_uid = 1", "service_principal.service is missing"},
      {service, "service needs unix_uid, or access_key_id and secret_file"},
      {service + "unix_uid = 0", "unix_uid must be a whole number from 1"},
      {service + "unix_uid = 4294967295", "from 1 to 4294967294"},
      {service + "unix_uid = \"minio\"", "must be a whole number"},
      {service + key, "access_key_id needs secret_file"},
      {service + "secret_file = \"/s\"", "secret_file needs access_key_id"},
      {service + "access_key_id = \"AKIA\"\nsecret_file = \"/s\"",
       "access_key_id must be 16 to 128 of A-Z and 0-9"},
      {service + "secret = \"x\"", "unknown key 'service_principal.secret'"},
      {"service = \"s3\"\nunix_uid = 1", "'s3' is not the name of a service"},
      {"service = \"S3.amazonaws.com\"\nunix_uid = 1", "is not the name"},
      {"service = \".amazonaws.com\"\nunix_uid = 1", "is not the name"},
      {"service = \"a.b.amazonaws.com\"\nunix_uid = 1", "is not the name"},
      {"service = \"s3.amazonaws.com.evil\"\nunix_uid = 1", "is not the name"},
  };
  for (const auto& [lines, reason] : cases) {
    EXPECT_THAT(
        ReadWith("[[service_principal]]\n" + lines + "\n"),
        StatusIs(ErrorCode::kInvalidArgument,
                 testing::AllOf(StartsWith(path_ + ":"), HasSubstr(reason))))
        << lines;
  }
  EXPECT_THAT(ReadWith("service_principal = 1\n"),
              StatusIs(ErrorCode::kInvalidArgument,
                       path_ + ":2: service_principal must be tables: "
                               "[[service_principal]]"));
}

TEST_F(ConfigTest, NobodyIsTwoServices) {
  const std::string s3 =
      "[[service_principal]]\nservice = \"s3.amazonaws.com\"\n";
  const std::string sqs =
      "[[service_principal]]\nservice = \"sqs.amazonaws.com\"\n";
  const std::string uid = "unix_uid = 1001\n";
  const std::string key =
      "access_key_id = \"AKIA234567ABCDEFGHIJ\"\nsecret_file = \"/s\"\n";
  EXPECT_THAT(ReadWith(s3 + uid + sqs + key), IsOk());
  EXPECT_THAT(ReadWith(s3 + uid + sqs + uid),
              StatusIs(ErrorCode::kInvalidArgument,
                       HasSubstr("unix_uid 1001 stands in two")));
  EXPECT_THAT(ReadWith(s3 + key + sqs + key),
              StatusIs(ErrorCode::kInvalidArgument,
                       HasSubstr("AKIA234567ABCDEFGHIJ stands in two")));
}

TEST_F(ConfigTest, TakesOidcProviders) {
  ASSERT_OK_AND_ASSIGN(const Config config, ReadWith(R"(
[[oidc_provider]]
issuer = "https://token.example.com"
audiences = ["sts.amazonaws.com"]
jwks_file = "/etc/claviger/token.jwks"
[[oidc_provider]]
issuer = "https://login.example.com:8443/realms/main/"
audiences = ["a", "b"]
jwks_file = "/etc/claviger/login.jwks"
accounts = ["111122223333", "444455556666"]
)"));
  ASSERT_EQ(config.oidc_providers.size(), 2U);
  const OidcProvider& first = config.oidc_providers[0];
  EXPECT_EQ(first.issuer, "https://token.example.com");
  EXPECT_THAT(first.audiences, ElementsAre("sts.amazonaws.com"));
  EXPECT_EQ(first.jwks_file, "/etc/claviger/token.jwks");
  EXPECT_THAT(first.accounts, ElementsAre("111122223333"));
  EXPECT_EQ(first.where.text, path_ + ":6");
  const OidcProvider& second = config.oidc_providers[1];
  EXPECT_EQ(second.issuer, "https://login.example.com:8443/realms/main/");
  EXPECT_THAT(second.audiences, ElementsAre("a", "b"));
  EXPECT_THAT(second.accounts, ElementsAre("111122223333", "444455556666"));
  EXPECT_EQ(second.where.text, path_ + ":10");
}

TEST_F(ConfigTest, RefusesBadOidcProviders) {
  const std::string issuer = "issuer = \"https://a\"\n";
  const std::string audiences = "audiences = [\"x\"]\n";
  const std::string file = "jwks_file = \"/j\"\n";
  const std::string all = issuer + audiences + file;
  const std::pair<std::string, const char*> cases[] = {
      {audiences + file, "oidc_provider.issuer is missing"},
      {issuer + file, "oidc_provider.audiences is missing"},
      {issuer + audiences, "oidc_provider.jwks_file is missing"},
      {all + "jwks_uri = \"https://a\"",
       "unknown key 'oidc_provider.jwks_uri'; known here: accounts, audiences, "
       "issuer, jwks_file"},
      {audiences + file + "issuer = 7", "issuer must be a text"},
      {audiences + file + "issuer = \"http://a\"",
       "oidc_provider.issuer 'http://a' is not https://HOST"},
      {audiences + file + "issuer = \"https://a?b\"", "is not https://HOST"},
      {audiences + file + "issuer = \"https://a#b\"", "is not https://HOST"},
      {issuer + file + "audiences = \"x\"",
       "oidc_provider.audiences must be a list of texts"},
      {issuer + file + "audiences = []", "with at least one of them"},
      {issuer + file + "audiences = [\"\"]", "texts that are not empty"},
      {issuer + file + "audiences = [\"x\", 7]", "must be a list of texts"},
      {issuer + file + "audiences = [\"" + std::string(256, 'x') + "\"]",
       "oidc_provider.audiences may have at most 255 characters each"},
      {all + "accounts = []", "oidc_provider.accounts must be a list"},
      {all + "accounts = [\"1\"]",
       "oidc_provider.accounts must have 12 digits each"},
      {all + "accounts = [\"111122223333\", \"11112222333x\"]",
       "must have 12 digits each"},
      {issuer + audiences + "jwks_file = \"\"", "a text that is not empty"},
  };
  for (const auto& [lines, reason] : cases) {
    EXPECT_THAT(
        ReadWith("[[oidc_provider]]\n" + lines + "\n"),
        StatusIs(ErrorCode::kInvalidArgument,
                 testing::AllOf(StartsWith(path_ + ":"), HasSubstr(reason))))
        << lines;
  }
  EXPECT_THAT(ReadWith("[oidc_provider]\n" + all),
              StatusIs(ErrorCode::kInvalidArgument,
                       HasSubstr("must be tables: [[oidc_provider]]")));
}

TEST_F(ConfigTest, AnAccountTrustsAnIssuerByOneTable) {
  const auto table = [](const char* issuer, const char* accounts) {
    return fmt::format(
        "[[oidc_provider]]\nissuer = \"{}\"\naudiences = [\"x\"]\n"
        "jwks_file = \"/j\"\naccounts = [{}]\n",
        issuer, accounts);
  };
  EXPECT_THAT(ReadWith(table("https://a", "\"111122223333\"") +
                       table("https://a", "\"444455556666\"") +
                       table("https://b", "\"111122223333\"")),
              IsOk());
  EXPECT_THAT(
      ReadWith(table("https://a", "\"111122223333\"") +
               table("https://a", "\"444455556666\", \"111122223333\"")),
      StatusIs(ErrorCode::kInvalidArgument,
               HasSubstr("account 111122223333 trusts issuer https://a "
                         "twice")));
  EXPECT_THAT(
      ReadWith(table("https://a", "\"111122223333\", \"111122223333\"")),
      StatusIs(ErrorCode::kInvalidArgument, HasSubstr("twice")));
}

TEST_F(ConfigTest, RefusesWhatDoesNotGoTogether) {
  EXPECT_THAT(Read(kStore), StatusIs(ErrorCode::kInvalidArgument,
                                     HasSubstr("account is missing")));
  for (const std::string account : {"1", "11112222333x", "1111222233334"}) {
    EXPECT_THAT(Read("account = \"" + account + "\"" + kStore),
                StatusIs(ErrorCode::kInvalidArgument, HasSubstr("12 digits")));
  }
  EXPECT_THAT(Read("account = \"111122223333\""),
              StatusIs(ErrorCode::kInvalidArgument,
                       HasSubstr("there is no [[key_store]] table")));
  EXPECT_THAT(Read("account = \"111122223333\"\nkey_store = 1\n"),
              StatusIs(ErrorCode::kInvalidArgument,
                       HasSubstr("must be tables: [[key_store]]")));
  for (const std::string more :
       {"", "listen.certificate = \"/c\"\n", "listen.private_key = \"/k\"\n"}) {
    EXPECT_THAT(ReadWith("listen.https = \"0.0.0.0:443\"\n" + more),
                StatusIs(ErrorCode::kInvalidArgument,
                         HasSubstr("listen.https needs listen.certificate")));
  }
}

TEST_F(ConfigTest, AFileThatIsNotThereIsNamed) {
  EXPECT_THAT(Load("/nonexistent/claviger.toml"),
              StatusIs(ErrorCode::kInvalidArgument,
                       StartsWith("/nonexistent/claviger.toml:")));
}

TEST_F(ConfigTest, TheSecureHeapHoldsTheSecretsOfAllRequestsInFlight) {
  EXPECT_THAT(ReadWith("server.max_requests_in_flight = 512\n"), IsOk());
  EXPECT_THAT(ReadWith("server.max_requests_in_flight = 513\n"),
              StatusIs(ErrorCode::kInvalidArgument,
                       HasSubstr("513 requests in flight")));
  EXPECT_THAT(
      ReadWith("server.threads = 2\n"),
      StatusIs(ErrorCode::kInvalidArgument, HasSubstr("may need 33554432")));
  EXPECT_THAT(
      ReadWith("server.threads = 2\nmemory.secure_heap_bytes = 33554432\n"),
      IsOk());
}

TEST_F(ConfigTest, PlainHttpStaysOnLoopback) {
  for (const char* host : {"127.0.0.1", "127.8.9.10", "[::1]"}) {
    EXPECT_THAT(ReadWith(fmt::format("listen.http = \"{}:0\"\n", host)), IsOk())
        << host;
  }
  for (const char* host : {"0.0.0.0", "[::]", "10.0.0.1", "localhost", "[::2]",
                           "128.0.0.1", "[::ffff:127.0.0.1]"}) {
    EXPECT_THAT(ReadWith(fmt::format("listen.http = \"{}:0\"\n", host)),
                StatusIs(ErrorCode::kInvalidArgument,
                         HasSubstr("for loopback addresses only")))
        << host;
  }
}

TEST(ListenAddressTest, RefusesWhatIsNone) {
  for (const char* const text :
       {"", ":", "127.0.0.1", "127.0.0.1:", ":80", "::1:80", "[::1]", "[]:80",
        "[1.2.3.4]:80", "1.2.3.4:65536", "1.2.3.4:-1", "1.2.3.4:8 ",
        "1.2.3.4:0x50"}) {
    EXPECT_THAT(
        ParseListenAddress(text),
        StatusIs(ErrorCode::kInvalidArgument, HasSubstr("is not ADDRESS:PORT")))
        << text;
  }
}

}  // namespace
}  // namespace tools::config
