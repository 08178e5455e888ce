// SPDX-License-Identifier: Apache-2.0
// With whom a Transport talks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "hsm/xks/transport.h"
#include "tests/hsm/xks/fixture.h"

namespace hsm::xks {
namespace {

using hsm_test::EncryptOf;
using testing::HasSubstr;
using TransportTlsTest = hsm_test::XksTest;

TEST_F(TransportTlsTest, TellsWhenTheCertificateEnds) {
  identity_ = authority_.Issue(std::string(hsm_test::kHost), "400102030405Z");
  StartProxy(fakes::Honest);
  // 2040-01-02T03:04:05Z
  EXPECT_EQ(Ask(EncryptOf("a")).certificate_not_after, 2209086245U);
  EXPECT_EQ(Ask(EncryptOf("b")).certificate_not_after, 2209086245U);
  EXPECT_EQ(proxy_->connections(), 1);
}

TEST_F(TransportTlsTest, RefusesAnotherName) {
  identity_ = authority_.Issue("other.example.com");
  StartProxy(fakes::Honest);
  EXPECT_EQ(Ask(EncryptOf("a")).outcome, XksOutcome::kTls);
  EXPECT_TRUE(proxy_->requests().empty());
}

TEST_F(TransportTlsTest, RefusesAnotherAuthority) {
  const testlib::Authority other("Another authority");
  identity_ = other.Issue(std::string(hsm_test::kHost));
  StartProxy(fakes::Honest);
  const XksReply reply = Ask(EncryptOf("a"));
  EXPECT_EQ(reply.outcome, XksOutcome::kTls);
  EXPECT_THAT(reply.message, HasSubstr("certificate"));
  EXPECT_TRUE(proxy_->requests().empty());
}

TEST_F(TransportTlsTest, RefusesAnExpiredCertificate) {
  identity_ = authority_.Issue(std::string(hsm_test::kHost), "210101000000Z");
  StartProxy(fakes::Honest);
  EXPECT_EQ(Ask(EncryptOf("a")).outcome, XksOutcome::kTls);
  EXPECT_TRUE(proxy_->requests().empty());
}

// A session that could be resumed would hide it.
TEST_F(TransportTlsTest, LooksAtTheCertificateOfEachConnection) {
  StartProxy(fakes::Honest);
  EXPECT_EQ(Ask(EncryptOf("a")).outcome, XksOutcome::kOk);
  proxy_->Change(
      authority_.Issue(std::string(hsm_test::kHost), "210101000000Z"));
  EXPECT_EQ(Ask(EncryptOf("b")).outcome, XksOutcome::kOk);  // It was kept.
  proxy_->DropConnections();
  EXPECT_EQ(Ask(EncryptOf("c")).outcome, XksOutcome::kTls);
  proxy_->Change(authority_.Issue(std::string(hsm_test::kHost)));
  EXPECT_EQ(Ask(EncryptOf("d")).outcome, XksOutcome::kOk);
}

TEST_F(TransportTlsTest, ShowsItsCertificate) {
  const testlib::Identity client = authority_.Issue("client");
  settings_.client_certificate = WriteFile("client.pem", client.certificate);
  settings_.client_key = WriteFile("client.key", client.key);
  StartProxy(fakes::Honest, authority_.certificate());
  const XksReply reply = Ask(EncryptOf("a"));
  EXPECT_EQ(reply.outcome, XksOutcome::kOk) << reply.message;
}

TEST_F(TransportTlsTest, SaysThatItsCertificateIsNotTaken) {
  StartProxy(fakes::Honest, authority_.certificate());
  const XksReply without = Ask(EncryptOf("a"));
  EXPECT_EQ(without.outcome, XksOutcome::kTls) << without.message;
  const testlib::Authority other("Another authority");
  const testlib::Identity client = other.Issue("client");
  settings_.client_certificate = WriteFile("client.pem", client.certificate);
  settings_.client_key = WriteFile("client.key", client.key);
  transport_.reset();
  const XksReply with = Ask(EncryptOf("b"));
  EXPECT_EQ(with.outcome, XksOutcome::kTls) << with.message;
  EXPECT_TRUE(proxy_->requests().empty());
}

}  // namespace
}  // namespace hsm::xks
