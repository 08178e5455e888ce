// SPDX-License-Identifier: Apache-2.0
// The whole way: client, supervisor, workers, and PKCS#11 modules.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

#include "base/random.h"
#include "hsm/client/call_on.h"
#include "tests/fakes/fake_token.h"
#include "tests/fakes/softhsm_token.h"
#include "tests/hsm/client_fixture.h"

namespace hsm_test {
namespace {

using base::ErrorCode;
using std::chrono::seconds;
using testlib::StatusIs;

hsm::KeyRef NewKey() {
  hsm::KeyRef key;
  base::RandomBytes(key.locator.bytes);
  return key;
}

// `Fake` is the token under the workers.
template <typename Fake>
class TokenTest : public ClientTest {
 protected:
  void StartOnToken(const std::string& pin = Fake::Pin()) {
    supervised_.options().prepare =
        hsm::OnToken([&shared = supervised_.shared(), &fake = fake_, pin]() {
          ++shared.opens;
          static const base::RealClock clock;
          hsm::token::TokenConfig config = fake.Config();
          config.pin = base::Secret::CopyOf(std::string_view(pin));
          return hsm::token::Token::Open(std::move(config), clock);
        });
    supervised_.Start();
    MakeClient();
  }

  hsm::EncryptRequest Encrypt(const hsm::KeyRef& key, std::string_view text) {
    hsm::EncryptRequest request = EncryptOf(text);
    request.key = key;
    return request;
  }

  Fake fake_;
};

struct SoftHsm : fakes::SoftHsmToken {
  static std::string Pin() { return kPin; }
};
struct Faulty : fakes::FakeToken {
  static std::string Pin() { return std::string(kPin); }
  static constexpr std::string_view kPin = "1234";
};

using SoftHsmTest = TokenTest<SoftHsm>;
using FaultyTokenTest = TokenTest<Faulty>;

TEST_F(SoftHsmTest, KeysLiveThroughEverythingAClientMayAsk) {
  StartOnToken();
  ASSERT_OK(Run(client_->Start()));
  const hsm::KeyRef key = NewKey();
  ASSERT_OK_AND_ASSIGN(const auto made,
                       Run(client_->Call(hsm::GenerateKeyRequest{key})));

  ASSERT_OK_AND_ASSIGN(const hsm::Sealed sealed,
                       Run(client_->Call(Encrypt(key, "attack at dawn"))));
  hsm::DecryptRequest decrypt{.key = key, .sealed = sealed};
  ASSERT_OK_AND_ASSIGN(const auto plain, Run(client_->Call(decrypt)));
  EXPECT_EQ(plain.plaintext.RevealText(), "attack at dawn");
  decrypt.sealed.ciphertext[0] ^= 1;
  EXPECT_THAT(Run(client_->Call(decrypt)),
              StatusIs(ErrorCode::kInvalidCiphertext, ""));

  ASSERT_OK_AND_ASSIGN(const auto checked,
                       Run(client_->Call(hsm::CheckKeyRequest{key})));
  EXPECT_EQ(checked.check_value, made.check_value);
  ASSERT_OK_AND_ASSIGN(const auto listed,
                       Run(client_->Call(hsm::ListKeysRequest{})));
  EXPECT_THAT(listed.keys, testing::Contains(testing::Field(
                               &hsm::ListedKey::id,
                               testing::ElementsAreArray(key.locator.bytes))));

  EXPECT_OK(Run(client_->EvictEverywhere(key.locator)));
  EXPECT_OK(Run(client_->Call(hsm::DestroyKeyRequest{key.locator})));
  EXPECT_THAT(Run(client_->Call(Encrypt(key, "too late"))),
              StatusIs(ErrorCode::kNotFound));
}

TEST_F(SoftHsmTest, WorkersShareTheToken) {
  StartOnToken();
  ASSERT_OK(Run(client_->Start()));
  const hsm::KeyRef key = NewKey();
  ASSERT_OK(Run(client_->Call(hsm::GenerateKeyRequest{key})));
  for (int i = 0; i < 200; ++i) {
    Spawn(client_->Call(Encrypt(key, std::to_string(i))),
          results_.emplace_back());
  }
  RunUntil([this] { return AllEnded(); });
  for (std::size_t i = 0; i < results_.size(); ++i) {
    ASSERT_OK(*results_[i]);
    hsm::DecryptRequest decrypt{.key = key, .sealed = **results_[i]};
    ASSERT_OK_AND_ASSIGN(const auto plain, Run(client_->Call(decrypt)));
    EXPECT_EQ(plain.plaintext.RevealText(), std::to_string(i));
  }
}

// What any pairing leads to: two tokens with one wrapping key.
TEST_F(SoftHsmTest, ACopyOfATokenUnwrapsTheSameKeys) {
  Supervised second;
  further_tokens_ = {
      {.name = "second", .supervisor_socket = second.socket_path()}};
  StartOnToken();
  ASSERT_OK(Run(client_->Start()));
  hsm::KeyRef wrapping = NewKey();
  wrapping.algorithm = hsm::Algorithm::kAesWrap;
  ASSERT_OK_AND_ASSIGN(const auto made,
                       Run(client_->Call(hsm::GenerateKeyRequest{wrapping})));
  const testlib::TempDir folder;
  std::filesystem::copy(fake_.TokensDirectory(), folder / "tokens",
                        std::filesystem::copy_options::recursive);
  std::ofstream(folder / "conf")
      << "directories.tokendir = " << std::string(folder / "tokens") << "\n";
  second.options().prepare =
      hsm::OnToken([&fake = fake_, conf = folder / "conf"]() {
        setenv("SOFTHSM2_CONF", conf.c_str(), 1);
        static const base::RealClock clock;
        return hsm::token::Token::Open(fake.Config(), clock);
      });
  second.Start();
  client_->Require({{.key = wrapping, .check_value = made.check_value}},
                   hsm::Algorithm::kXaes256Gcm);
  RunUntil([this] {
    return client_->Tokens()[1].state == hsm::client::TokenState::kServing;
  });

  hsm::GenerateWrappedKeyRequest generate{.key = NewKey(),
                                          .wrapping_key = wrapping.locator};
  hsm::KeyRef key = generate.key;
  ASSERT_OK_AND_ASSIGN(const auto wrapped, Run(client_->Call(generate)));
  key.wrapped = std::make_shared<hsm::WrappedKey>(
      hsm::WrappedKey{wrapping.locator, wrapped.wrapped, wrapped.check_value,
                      wrapped.public_key});
  for (const auto& [from, to] :
       {std::pair{"home", "second"}, std::pair{"second", "home"}}) {
    ASSERT_OK_AND_ASSIGN(const auto sealed,
                         Run(client_->CallOn(from, Encrypt(key, from))));
    ASSERT_OK_AND_ASSIGN(
        const auto opened,
        Run(client_->CallOn(
            to, hsm::DecryptRequest{.key = key, .sealed = sealed})));
    EXPECT_EQ(opened.plaintext.RevealText(), from);
  }
  client_.reset();
  io_.restart();
  io_.run();
}

TEST_F(SoftHsmTest, AWrongPinIsTriedOnce) {
  StartOnToken("9999");
  EXPECT_THAT(Run(client_->Start()), StatusIs(ErrorCode::kAccessDenied));
  EXPECT_THAT(Run(client_->Start()), StatusIs(ErrorCode::kAccessDenied));
  EXPECT_EQ(supervised_.shared().opens, 1);
}

TEST_F(FaultyTokenTest, AModuleThatCrashesCostsTheCallsInFlight) {
  StartOnToken();
  ASSERT_OK(Run(client_->Start()));
  fake_.Tell("C_GenerateRandom crash");
  EXPECT_THAT(Run(client_->Call(hsm::RandomRequest{16})),
              StatusIs(ErrorCode::kHsmUnavailable));
  fake_.Tell("");
  EXPECT_OK(Run(client_->Call(hsm::RandomRequest{16})));
  RunUntil([this] { return client_->stats().ready_workers.Get() == 2; });
}

TEST_F(FaultyTokenTest, AModuleThatHangsIsKilledAtTheDeadline) {
  StartOnToken();
  ASSERT_OK(Run(client_->Start()));
  fake_.Tell("C_GenerateRandom hang");
  std::optional<base::Result<hsm::PlaintextReply>> hung;
  Spawn(client_->Call(hsm::RandomRequest{16}), hung);
  io_.restart();
  io_.poll();
  clock_.Advance(seconds(10));
  RunUntil([&] { return hung.has_value(); });
  EXPECT_THAT(*hung, StatusIs(ErrorCode::kTimeout));
  fake_.Tell("");
  RunUntil([this] { return client_->stats().ready_workers.Get() == 2; });
  EXPECT_OK(Run(client_->Call(hsm::RandomRequest{16})));
}

}  // namespace
}  // namespace hsm_test
