// SPDX-License-Identifier: Apache-2.0
#include "hsm/xks/addresses.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstring>
#include <string>
#include <vector>

#include "tests/testlib/status.h"

namespace hsm::xks {
namespace {

using base::ErrorCode;
using testing::HasSubstr;
using testlib::StatusIs;
using testlib::Take;

// What a resolver would hand to connect().
sockaddr_storage SocketAddress(const std::string& address,
                               std::uint16_t port = 443) {
  sockaddr_storage storage{};
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&storage, &v4, sizeof(v4));
  } else {
    EXPECT_EQ(inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr), 1);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&storage, &v6, sizeof(v6));
  }
  return storage;
}

bool MayConnect(const AddressRules& rules, const std::string& address,
                std::uint16_t port = 443,
                const std::string& host = "xks.example.com") {
  const sockaddr_storage storage = SocketAddress(address, port);
  return rules.MayConnect(host, reinterpret_cast<const sockaddr&>(storage));
}

TEST(AddressRules, ForbidWhatIsNotOfThePublicInternet) {
  const AddressRules rules({}, {});
  for (const char* const address : {"::ffff:0:7f00:1",
                                    "2001:10::1",
                                    "3fff::1",
                                    "4000::1",
                                    "5f00::1",
                                    "9000::1",
                                    "0.0.0.0",
                                    "0.1.2.3",
                                    "10.0.0.1",
                                    "10.255.255.255",
                                    "100.64.0.1",
                                    "100.127.255.255",
                                    "127.0.0.1",
                                    "127.255.255.254",
                                    "169.254.169.254",
                                    "172.16.0.1",
                                    "172.31.255.255",
                                    "192.0.0.1",
                                    "192.0.2.1",
                                    "192.168.0.1",
                                    "198.18.0.1",
                                    "198.19.255.255",
                                    "198.51.100.1",
                                    "203.0.113.1",
                                    "224.0.0.1",
                                    "239.255.255.255",
                                    "240.0.0.1",
                                    "255.255.255.255",
                                    "::",
                                    "::1",
                                    "::127.0.0.1",
                                    "::ffff:127.0.0.1",
                                    "::ffff:10.1.2.3",
                                    "::ffff:169.254.169.254",
                                    "::ffff:0.0.0.0",
                                    "64:ff9b::7f00:1",
                                    "64:ff9b:1::a00:1",
                                    "100::1",
                                    "2001::1",
                                    "2001:db8::1",
                                    "2002:7f00:1::1",
                                    "fc00::1",
                                    "fd12:3456::1",
                                    "fe80::1",
                                    "febf::1",
                                    "fec0::1",
                                    "ff02::1"}) {
    EXPECT_FALSE(MayConnect(rules, address)) << address;
  }
  sockaddr_storage other{};
  other.ss_family = AF_UNIX;
  EXPECT_FALSE(rules.MayConnect("h", reinterpret_cast<const sockaddr&>(other)));
}

TEST(AddressRules, LetPublicAddressesThrough) {
  const AddressRules rules({}, {});
  for (const char* const address :
       {"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
        "126.255.255.255", "128.0.0.1", "169.253.255.255", "172.15.255.255",
        "172.32.0.0", "192.167.255.255", "192.169.0.0", "223.255.255.255",
        "::ffff:1.1.1.1", "2606:4700::1111", "2a00::1"}) {
    EXPECT_TRUE(MayConnect(rules, address)) << address;
  }
}

TEST(AddressRules, TakeAllowedNetworksInEitherSpelling) {
  const AddressRules rules(
      {Take(ParseNetwork("10.1.0.0/16")), Take(ParseNetwork("fd00:1::/33")),
       Take(ParseNetwork("192.168.7.9/32"))},
      {});
  for (const char* const address :
       {"10.1.0.0", "10.1.255.255", "::ffff:10.1.2.3", "fd00:1::1",
        "fd00:1:7fff::1", "192.168.7.9"}) {
    EXPECT_TRUE(MayConnect(rules, address)) << address;
  }
  for (const char* const address :
       {"10.0.255.255", "10.2.0.0", "fd00:1:8000::1", "fd00:2::1",
        "192.168.7.8", "127.0.0.1"}) {
    EXPECT_FALSE(MayConnect(rules, address)) << address;
  }
}

TEST(AddressRules, LetAHostGoWhereItIsSentAndNobodyElse) {
  const AddressRules rules(
      {}, {Take(ParseConnectTo("XKS.example.com:443:127.0.0.1:8443")),
           Take(ParseConnectTo("six.example.com:443:[::1]:8444"))});
  EXPECT_TRUE(MayConnect(rules, "127.0.0.1", 8443));
  EXPECT_FALSE(MayConnect(rules, "127.0.0.1", 8444));
  EXPECT_FALSE(MayConnect(rules, "127.0.0.2", 8443));
  EXPECT_FALSE(MayConnect(rules, "127.0.0.1", 8443, "other.example.com"));
  EXPECT_TRUE(MayConnect(rules, "::1", 8444, "six.example.com"));
  EXPECT_FALSE(MayConnect(rules, "::1", 8444));
}

TEST(AddressRules, TakeNoAddressForAName) {
  const AddressRules none({}, {});
  for (const char* const host :
       {"1.1.1.1", "127.0.0.1", "127.1", "2130706433", "0x7f000001",
        "017700000001", "0x7f.1", "10.0.0.1"}) {
    EXPECT_FALSE(none.MayName(host)) << host;
  }
  for (const char* const host :
       {"xks.example.com", "1.1.1.1.example.com", "a", "1and1.example"}) {
    EXPECT_TRUE(none.MayName(host)) << host;
  }
  const AddressRules some({Take(ParseNetwork("10.0.0.0/8"))}, {});
  EXPECT_TRUE(some.MayName("10.0.0.1"));
  EXPECT_TRUE(some.MayName("0x0a000001"));
  EXPECT_FALSE(some.MayName("11.0.0.1"));
}

TEST(ParseNetwork, RefusesWhatIsNone) {
  for (const char* const text :
       {"", "/", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1",
        "10.0.0.0/8x", "10.0.0/8", "10.0.0.0/ 8", "fd00::/129", "fd00::/",
        "example.com/8", "fe80::1%lo/64"}) {
    EXPECT_THAT(ParseNetwork(text), StatusIs(ErrorCode::kInvalidArgument,
                                             HasSubstr("is no network")))
        << text;
  }
  for (const char* const text : {"10.0.0.1/8", "0.0.0.1/0", "fd00::1/64"}) {
    EXPECT_THAT(ParseNetwork(text), StatusIs(ErrorCode::kInvalidArgument,
                                             HasSubstr("behind its prefix")))
        << text;
  }
  EXPECT_OK(ParseNetwork("0.0.0.0/0"));
  EXPECT_OK(ParseNetwork("::/0"));
  EXPECT_OK(ParseNetwork("10.0.0.1/32"));
}

TEST(ParseConnectTo, ReadsItsParts) {
  const ConnectTo to =
      Take(ParseConnectTo("Xks.Example.com:443:10.1.2.3:8443"));
  EXPECT_EQ(to.host, "xks.example.com");
  EXPECT_EQ(to.address, ParseAddress("10.1.2.3"));
  EXPECT_EQ(to.port, 8443);
  const ConnectTo six = Take(ParseConnectTo("x:443:[fd00::1]:1"));
  EXPECT_EQ(six.address, ParseAddress("fd00::1"));
}

TEST(ParseConnectTo, RefusesWhatIsNone) {
  for (const char* const text : {"",
                                 "x",
                                 "x:443",
                                 "x:443:",
                                 "x:443:10.0.0.1",
                                 "x:443:10.0.0.1:",
                                 "x:443:10.0.0.1:0",
                                 "x:443:10.0.0.1:65536",
                                 "x:443:10.0.0.1:1x",
                                 "x:444:10.0.0.1:1",
                                 ":443:10.0.0.1:1",
                                 "x::10.0.0.1:1",
                                 "x:443:name:1",
                                 "x:443:fd00::1:1",
                                 "x:443:[10.0.0.1]:1",
                                 "x y:443:10.0.0.1:1",
                                 "x.:443:10.0.0.1:1",
                                 "-x:443:10.0.0.1:1",
                                 "x:443:[fd00::1:1",
                                 "x:443::1"}) {
    EXPECT_THAT(ParseConnectTo(text),
                StatusIs(ErrorCode::kInvalidArgument,
                         HasSubstr("HOST:443:ADDRESS:PORT")))
        << text;
  }
}

}  // namespace
}  // namespace hsm::xks
