// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <string>

#include "hsm/token/attributes.h"
#include "hsm/token/connection.h"
#include "hsm/token/mac.h"
#include "tests/fakes/softhsm_token.h"
#include "tests/hsm/token_fixture.h"

// HMAC keys on SoftHSM.
namespace hsm::token {
namespace {

struct Hmac {
  Algorithm algorithm;
  const EVP_MD* (*digest)();
  std::size_t key_size;
};

constexpr Hmac kHmacs[] = {{Algorithm::kHmacSha224, EVP_sha224, 32},
                           {Algorithm::kHmacSha256, EVP_sha256, 32},
                           {Algorithm::kHmacSha384, EVP_sha384, 48},
                           {Algorithm::kHmacSha512, EVP_sha512, 64}};

base::Bytes ByOpenssl(const Hmac& hmac, const base::Bytes& key,
                      std::string_view message) {
  base::Bytes mac(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  EXPECT_NE(HMAC(hmac.digest(), key.data(), static_cast<int>(key.size()),
                 reinterpret_cast<const unsigned char*>(message.data()),
                 message.size(), mac.data(), &size),
            nullptr);
  mac.resize(size);
  return mac;
}

class MacTest : public OpenTokenTest<fakes::SoftHsmToken>,
                public testing::WithParamInterface<Hmac> {
 protected:
  static MacRequest ToMac(const KeyRef& key, std::string_view message) {
    MacRequest request;
    request.key = key;
    request.message = base::Secret::CopyOf(message);
    return request;
  }

  base::Bytes MacOf(const KeyRef& key, std::string_view message) {
    const auto mac = token_->Execute(ToMac(key, message));
    EXPECT_TRUE(mac.has_value()) << mac.error().message;
    return mac.value_or(MacReply()).mac;
  }
};

INSTANTIATE_TEST_SUITE_P(All, MacTest, testing::ValuesIn(kHmacs));

TEST_P(MacTest, StaysTheSameAlsoInTheNextProcess) {
  const KeyRef key = Made(GetParam().algorithm);
  const base::Bytes mac = MacOf(key, "message");
  EXPECT_EQ(mac.size(),
            static_cast<std::size_t>(EVP_MD_get_size(GetParam().digest())));
  EXPECT_EQ(MacOf(key, "message"), mac);
  EXPECT_NE(MacOf(key, "another"), mac);
  EXPECT_NE(MacOf(Made(GetParam().algorithm), "message"), mac);
  ASSERT_OK(token_->Execute(EvictKeyRequest{key.locator}));
  EXPECT_EQ(MacOf(key, "message"), mac);
  Reopen();
  EXPECT_EQ(MacOf(key, "message"), mac);
}

// docs/protocol/worker.md: the HMAC of "claviger-material-1", of 32 bytes.
TEST_P(MacTest, TheCheckValueIsAMac) {
  const KeyRef key = NewKey(GetParam().algorithm);
  const auto made = token_->Execute(GenerateKeyRequest{key});
  ASSERT_OK(made);
  base::Bytes mac = MacOf(key, "claviger-material-1");
  mac.resize(made->check_value.size());
  EXPECT_TRUE(std::ranges::equal(mac, made->check_value));
  Reopen();
  const auto checked = token_->Execute(CheckKeyRequest{key});
  ASSERT_OK(checked);
  EXPECT_EQ(checked->check_value, made->check_value);
}

TEST_P(MacTest, MessagesAreLimited) {
  const KeyRef key = Made(GetParam().algorithm);
  EXPECT_ERROR(token_->Execute(ToMac(key, "")), kInvalidArgument);
  EXPECT_ERROR(token_->Execute(ToMac(key, std::string(4097, 'x'))),
               kInvalidArgument);
  MacOf(key, std::string(4096, 'x'));
}

TEST_P(MacTest, ADestroyedKeyIsGone) {
  const KeyRef key = Made(GetParam().algorithm);
  MacOf(key, "message");
  ASSERT_OK(token_->Execute(DestroyKeyRequest{key.locator}));
  EXPECT_ERROR(token_->Execute(ToMac(key, "message")), kNotFound);
}

TEST_P(MacTest, TheKeyIsForNothingElse) {
  const KeyRef key = Made(GetParam().algorithm);
  EXPECT_ERROR(token_->Execute(ToEncrypt(key, "secret")), kInvalidArgument);
  SignRequest sign;
  sign.key = key;
  sign.message = base::Secret(32);
  EXPECT_ERROR(token_->Execute(sign), kInvalidArgument);
  EXPECT_ERROR(token_->Execute(AgreeRequest{.key = key, .public_key = {}}),
               kInvalidArgument);
  KeyRef lie = key;
  lie.algorithm = Algorithm::kXaes256Gcm;
  EXPECT_ERROR(token_->Execute(ToEncrypt(lie, "secret")), kCorrupt);
}

class MacObjectTest : public testing::Test {
 protected:
  fakes::SoftHsmToken place_;
  base::FakeClock clock_{base::WallTime{}};
};

// Our own keys cannot be read: so with one that is put there.
TEST_F(MacObjectTest, IsTheMacOfOpenssl) {
  const auto connection = Connection::Open(place_.Config());
  ASSERT_OK(connection);
  Sessions& sessions = (*connection)->sessions();
  for (const Hmac& hmac : kHmacs) {
    base::Bytes value(hmac.key_size);
    base::RandomBytes(value);
    const KeyRef key = NewKey(hmac.algorithm);
    Template known = MacKeyTemplate(key, AttributeSupport{});
    known.Set(CKA_TOKEN, false).Set(CKA_VALUE, value).Remove(CKA_VALUE_LEN);
    const auto object = sessions.anchor().CreateObject(known).Take();
    ASSERT_OK(object);
    for (const std::string& message :
         {std::string("x"), std::string(4096, 'y')}) {
      const auto mac =
          Mac(sessions, hmac.algorithm, *object, base::AsBytes(message));
      ASSERT_OK(mac);
      EXPECT_EQ(*mac, ByOpenssl(hmac, value, message));
    }
  }
}

TEST_F(MacObjectTest, KeysHaveTheFewestPowers) {
  const KeyRef key = NewKey(Algorithm::kHmacSha384);
  {
    const auto token = Token::Open(place_.Config(), clock_);
    ASSERT_OK(token);
    ASSERT_OK((*token)->Execute(GenerateKeyRequest{key}));
  }
  const auto connection = Connection::Open(place_.Config());
  ASSERT_OK(connection);
  Session& session = (*connection)->sessions().anchor();
  const auto found = session.FindObjects(ObjectsWithId(key.locator));
  ASSERT_EQ(found.value.size(), 1U);
  for (const auto& [type, value] :
       {std::pair{CKA_TOKEN, true}, std::pair{CKA_PRIVATE, true},
        std::pair{CKA_SENSITIVE, true}, std::pair{CKA_EXTRACTABLE, false},
        std::pair{CKA_MODIFIABLE, false}, std::pair{CKA_COPYABLE, false},
        std::pair{CKA_ENCRYPT, false}, std::pair{CKA_DECRYPT, false},
        std::pair{CKA_DERIVE, false}, std::pair{CKA_WRAP, false},
        std::pair{CKA_UNWRAP, false}, std::pair{CKA_SIGN, true},
        std::pair{CKA_VERIFY, false}, std::pair{CKA_NEVER_EXTRACTABLE, true}}) {
    EXPECT_EQ(session.ReadAttribute(found.value[0], type).value,
              base::Bytes{value})
        << std::hex << type;
  }
  EXPECT_EQ(session.ReadSecret(found.value[0]).rv, CKR_ATTRIBUTE_SENSITIVE);
}

}  // namespace
}  // namespace hsm::token
