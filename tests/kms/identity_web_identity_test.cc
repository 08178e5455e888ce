// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "kms/identity/web_identity.h"
#include "tests/kms/web_token.h"
#include "tests/testlib/status.h"

namespace kms::identity {
namespace {

using base::ErrorCode;
using nlohmann::json;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testlib::IsOk;
using testlib::StatusIs;
using testlib::Take;

constexpr std::string_view kIssuer = "https://token.example.com/tenant";
constexpr std::string_view kAccount = "111122223333";
constexpr base::WallTime kNow{seconds(1'700'000'000)};
constexpr std::int64_t kNowSeconds = 1'700'000'000;

// One of each type, made once.
struct Keys {
  SigningKey rsa = SigningKey::Rsa(2048);
  SigningKey p256 = SigningKey::Ec("P-256");
  SigningKey p384 = SigningKey::Ec("P-384");
};
const Keys& TheKeys() {
  static const Keys keys;
  return keys;
}

std::string KeySet() {
  const auto jwk = [](const char* kid, const SigningKey& key) {
    return R"({"kid":")" + std::string(kid) + "\"," + key.PublicMembers() + "}";
  };
  return R"({"keys":[)" + jwk("rsa", TheKeys().rsa) + "," +
         jwk("p256", TheKeys().p256) + "," + jwk("p384", TheKeys().p384) + "]}";
}

ProviderSettings Settings() {
  return {.issuer = std::string(kIssuer),
          .audiences = {"sts.amazonaws.com", "claviger"},
          .accounts = {std::string(kAccount)},
          .key_set = KeySet()};
}

// What a good token says.
json Claims() {
  return {{"iss", kIssuer},
          {"aud", "claviger"},
          {"sub", "repo:octo/app:ref:refs/heads/main"},
          {"iat", kNowSeconds - 10},
          {"nbf", kNowSeconds - 10},
          {"exp", kNowSeconds + 600}};
}
json With(const char* name, const json& value) {
  json claims = Claims();
  claims[name] = value;
  return claims;
}
json Without(const char* name) {
  json claims = Claims();
  claims.erase(name);
  return claims;
}

std::string Signed(const json& claims) {
  return TheKeys().p256.Token("ES256", "p256", claims.dump());
}

class WebIdentityTest : public testing::Test {
 protected:
  base::Result<WebIdentity> Verify(std::string_view token) const {
    return provider_.Verify(token, kNow);
  }
  base::Result<WebIdentity> VerifyClaims(const json& claims) const {
    return Verify(Signed(claims));
  }
  // A header of one's own, else good.
  base::Result<WebIdentity> VerifyHeader(std::string_view header) const {
    return Verify(TheKeys().p256.TokenOf("ES256", header, Claims().dump()));
  }

  const IdentityProvider provider_ = Take(IdentityProvider::Parse(Settings()));
};

const auto not_a_jwt = StatusIs(ErrorCode::kInvalidIdentityToken,
                                "The ID Token provided is not a valid JWT");
const auto bad_signature =
    StatusIs(ErrorCode::kInvalidIdentityToken,
             HasSubstr("Couldn't verify the token's signature"));
auto Invalid(const std::string& text) {
  return StatusIs(ErrorCode::kInvalidIdentityToken, text);
}

TEST_F(WebIdentityTest, SaysWhatTheTokenSays) {
  ASSERT_OK_AND_ASSIGN(const WebIdentity identity, VerifyClaims(Claims()));
  EXPECT_EQ(identity.issuer, kIssuer);
  EXPECT_EQ(identity.subject, "repo:octo/app:ref:refs/heads/main");
  EXPECT_EQ(identity.audience, "claviger");
  EXPECT_EQ(identity.authorized_party, "");
  EXPECT_EQ(identity.expiration, kNow + seconds(600));
}

// IAM User Guide, "Available keys for AWS OIDC federation".
TEST_F(WebIdentityTest, IsForItsAuthorizedPartyIfItHasOne) {
  EXPECT_THAT(VerifyClaims(With("azp", "client-7")),
              Invalid("Incorrect token audience"));
  json claims = With("azp", "claviger");
  claims["aud"] = {"elsewhere", "claviger"};
  WebIdentity identity = Take(VerifyClaims(claims));
  EXPECT_EQ(identity.audience, "claviger");
  EXPECT_EQ(identity.authorized_party, "claviger");
  EXPECT_EQ(identity.other_audience, "claviger");
  claims["aud"] = "elsewhere";
  identity = Take(VerifyClaims(claims));
  EXPECT_EQ(identity.audience, "claviger");
  EXPECT_EQ(identity.other_audience, "");
}

TEST_F(WebIdentityTest, TakesEveryAlgorithm) {
  const std::tuple<const char*, const char*, const SigningKey&> cases[] = {
      {"ES256", "p256", TheKeys().p256}, {"ES384", "p384", TheKeys().p384},
      {"PS256", "rsa", TheKeys().rsa},   {"PS384", "rsa", TheKeys().rsa},
      {"PS512", "rsa", TheKeys().rsa},   {"RS256", "rsa", TheKeys().rsa},
      {"RS384", "rsa", TheKeys().rsa},   {"RS512", "rsa", TheKeys().rsa}};
  for (const auto& [algorithm, kid, key] : cases) {
    EXPECT_THAT(Verify(key.Token(algorithm, kid, Claims().dump())), IsOk())
        << algorithm;
  }
}

// r and s are now and then shorter than the order.
TEST_F(WebIdentityTest, TakesEverySignatureOfAKey) {
  for (int i = 0; i < 600; ++i) {
    ASSERT_THAT(VerifyClaims(With("jti", i)), IsOk());
  }
}

TEST_F(WebIdentityTest, RefusesAlgorithmsThatAreNotOfTheKey) {
  const auto wrong =
      Invalid("The token's signature algorithm is not that of its key");
  const std::string payload = Claims().dump();
  EXPECT_THAT(Verify(TheKeys().rsa.Token("RS256", "p256", payload)), wrong);
  EXPECT_THAT(Verify(TheKeys().p256.Token("ES256", "rsa", payload)), wrong);
  EXPECT_THAT(Verify(TheKeys().p256.Token("ES256", "p384", payload)), wrong);
  EXPECT_THAT(VerifyHeader(R"({"alg":"ES384","kid":"p256"})"), wrong);
}

TEST_F(WebIdentityTest, RefusesNoneAndSharedSecrets) {
  const auto unsupported =
      Invalid("The token's signature algorithm is not supported");
  for (const char* algorithm :
       {"none", "None", "", "HS256", "HS384", "HS512", "ES512", "ES256K",
        "EdDSA", "es256", "ES256 ", "RSA-OAEP"}) {
    const std::string header =
        R"({"kid":"p256","alg":")" + std::string(algorithm) + "\"}";
    EXPECT_THAT(VerifyHeader(header), unsupported) << algorithm;
    EXPECT_THAT(Verify(SigningInput(header, Claims().dump()) + "."),
                unsupported)
        << algorithm;
  }
}

TEST_F(WebIdentityTest, RefusesSignaturesOfOthers) {
  const std::string payload = Claims().dump();
  EXPECT_THAT(Verify(SigningKey::Ec("P-256").Token("ES256", "p256", payload)),
              bad_signature);
  EXPECT_THAT(Verify(SigningKey::Rsa(2048).Token("RS256", "rsa", payload)),
              bad_signature);
  // The same key, another padding.
  EXPECT_THAT(Verify(TheKeys().rsa.TokenOf(
                  "PS256", R"({"alg":"RS256","kid":"rsa"})", payload)),
              bad_signature);
  EXPECT_THAT(Verify(TheKeys().p256.Token("ES256", "other", payload)),
              StatusIs(ErrorCode::kInvalidIdentityToken,
                       HasSubstr("has no key of its \"kid\"")));
}

TEST_F(WebIdentityTest, RefusesSignaturesOfAnotherLength) {
  for (const auto& [algorithm, kid, key] :
       {std::tuple("ES256", "p256", &TheKeys().p256),
        std::tuple("RS256", "rsa", &TheKeys().rsa)}) {
    const std::string input = SigningInput(
        R"({"alg":")" + std::string(algorithm) + R"(","kid":")" + kid + "\"}",
        Claims().dump());
    const base::Bytes good = key->Sign(algorithm, input);
    const auto verify = [&](const base::Bytes& signature) {
      return Verify(input + "." + Base64UrlEncode(base::AsText(signature)));
    };
    EXPECT_THAT(verify(good), IsOk());
    base::Bytes longer = good;
    longer.push_back(0);
    EXPECT_THAT(verify(longer), bad_signature);
    base::Bytes padded = good;
    padded.insert(padded.begin(), 0);
    EXPECT_THAT(verify(padded), bad_signature);
    EXPECT_THAT(verify({good.begin(), good.end() - 1}), bad_signature);
    EXPECT_THAT(verify({}), bad_signature);
    EXPECT_THAT(verify(base::Bytes(good.size())), bad_signature);
  }
}

// What OpenSSL itself makes.
TEST_F(WebIdentityTest, RefusesADerSignature) {
  const std::string input =
      SigningInput(R"({"alg":"ES256","kid":"p256"})", Claims().dump());
  const base::Bytes raw = TheKeys().p256.Sign("ES256", input);
  base::Bytes der = {0x30, 70, 0x02, 33, 0};
  der.insert(der.end(), raw.begin(), raw.begin() + 32);
  der.insert(der.end(), {0x02, 33, 0});
  der.insert(der.end(), raw.begin() + 32, raw.end());
  EXPECT_THAT(Verify(input + "." + Base64UrlEncode(base::AsText(der))),
              bad_signature);
}

TEST_F(WebIdentityTest, RefusesATokenWithAnyCharacterChanged) {
  const std::string good = Signed(Claims());
  ASSERT_THAT(Verify(good), IsOk());
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    EXPECT_THAT(Verify(bad), StatusIs(ErrorCode::kInvalidIdentityToken)) << i;
    EXPECT_THAT(Verify(good.substr(0, i)),
                StatusIs(ErrorCode::kInvalidIdentityToken))
        << i;
  }
}

TEST_F(WebIdentityTest, RefusesWhatIsNoCompactJws) {
  const std::string good = Signed(Claims());
  const std::string input = good.substr(0, good.rfind('.'));
  for (const std::string& bad : {std::string(),
                                 std::string("."),
                                 std::string(".."),
                                 std::string("a.b"),
                                 input,
                                 good + ".",
                                 "." + good,
                                 good + "=",
                                 good + "==",
                                 " " + good,
                                 good + "\n",
                                 good + ".AAAA.AAAA",
                                 input + ".A",
                                 input + ".AA+/",
                                 input + "..AAAA",
                                 std::string(20000, 'A'),
                                 std::string(20000, '.'),
                                 std::string("e30.e30."),
                                 std::string("W10.e30."),
                                 std::string("_w.e30."),
                                 std::string("\0.\0.\0", 5)}) {
    EXPECT_THAT(Verify(bad), StatusIs(ErrorCode::kInvalidIdentityToken)) << bad;
  }
  EXPECT_THAT(Verify(good + "="), not_a_jwt);
  // The last character of the signature holds two bits that mean nothing.
  std::string respelt = good;
  ++respelt.back();
  EXPECT_THAT(Verify(respelt), not_a_jwt);
}

TEST_F(WebIdentityTest, BoundsTheSize) {
  const std::size_t rest = Signed(With("x", "")).size();
  // Three bytes make four characters.
  const std::size_t fits = (20000 - rest) / 4 * 3;
  EXPECT_THAT(VerifyClaims(With("x", std::string(fits, 'x'))), IsOk());
  EXPECT_THAT(VerifyClaims(With("x", std::string(fits + 4, 'x'))),
              Invalid("The token is longer than 20000 characters"));
}

TEST_F(WebIdentityTest, RefusesBadHeaders) {
  EXPECT_THAT(VerifyHeader(R"({"alg":"ES256","kid":"p256"})"), IsOk());
  EXPECT_THAT(VerifyHeader(R"({"alg":"ES256","kid":"p256","crit":["exp"]})"),
              Invalid("The token's header has \"crit\", which is not "
                      "supported"));
  EXPECT_THAT(VerifyHeader(R"({"alg":"ES256"})"),
              Invalid("The token's header has no \"kid\""));
  EXPECT_THAT(VerifyHeader(R"({"alg":"ES256","kid":7})"),
              Invalid("The token's header has no \"kid\""));
  EXPECT_THAT(VerifyHeader(R"({"kid":"p256"})"),
              Invalid("The token's header has no \"alg\""));
  for (const char* header :
       {R"({"alg":"none","alg":"ES256","kid":"p256"})",
        R"({"alg":"ES256","kid":"rsa","kid":"p256"})", R"(["ES256"])", "{", "",
        "null", "\xEF\xBB\xBF{\"alg\":\"ES256\",\"kid\":\"p256\"}"}) {
    EXPECT_THAT(VerifyHeader(header), not_a_jwt) << header;
  }
}

// RFC 8725 section 3.10: a token must not bring its own key.
TEST_F(WebIdentityTest, DoesNotLookAtKeysInTheHeader) {
  const SigningKey own = SigningKey::Ec("P-256");
  const std::string header = R"({"alg":"ES256","kid":"p256","jwk":{)" +
                             own.PublicMembers() +
                             R"(},"jku":"https://evil.example/jwks"})";
  EXPECT_THAT(Verify(own.TokenOf("ES256", header, Claims().dump())),
              bad_signature);
}

TEST_F(WebIdentityTest, RefusesPayloadsThatAreNoClaims) {
  for (const char* payload :
       {"", "[]", "null", "{", "x", R"({"sub":"a","sub":"b"})"}) {
    EXPECT_THAT(Verify(TheKeys().p256.Token("ES256", "p256", payload)),
                not_a_jwt)
        << payload;
  }
  const std::string twice =
      R"({"exp":1,)" + Claims().dump().substr(1);  // "exp" two times.
  EXPECT_THAT(Verify(TheKeys().p256.Token("ES256", "p256", twice)), not_a_jwt);
}

TEST_F(WebIdentityTest, AsksForTheIssuerToTheLetter) {
  for (const char* issuer :
       {"https://token.example.com", "https://token.example.com/tenant/",
        "https://token.example.com/Tenant", "http://token.example.com/tenant",
        "https://TOKEN.example.com/tenant", "token.example.com/tenant"}) {
    EXPECT_THAT(VerifyClaims(With("iss", issuer)),
                Invalid("No OpenIDConnect provider found in your account for " +
                        std::string(issuer)));
  }
  EXPECT_THAT(VerifyClaims(Without("iss")),
              Invalid("Missing a required claim: iss"));
  for (const json& issuer : {json(7), json(nullptr), json({kIssuer}), json(""),
                             json(std::string(256, 'x'))}) {
    EXPECT_THAT(VerifyClaims(With("iss", issuer)),
                Invalid("The token's claim is malformed: iss"));
  }
}

TEST_F(WebIdentityTest, AsksForAnAcceptedAudience) {
  const auto audience_of = [&](const json& audience) {
    const auto identity = VerifyClaims(With("aud", audience));
    return identity ? identity->audience : identity.error().message;
  };
  EXPECT_EQ(audience_of("sts.amazonaws.com"), "sts.amazonaws.com");
  EXPECT_EQ(audience_of({"x", "claviger"}), "claviger");
  EXPECT_EQ(audience_of({"claviger", "sts.amazonaws.com"}), "claviger");
  for (const json& audience :
       {json("Claviger"), json("claviger "), json(""), json::array(),
        json({"x"}), json({"claviger,sts.amazonaws.com"})}) {
    EXPECT_EQ(audience_of(audience), "Incorrect token audience") << audience;
  }
  for (const json& audience :
       {json(7), json(nullptr), json({{"claviger", "claviger"}}),
        json({"claviger", 7}), json({{"claviger"}})}) {
    EXPECT_EQ(audience_of(audience), "The token's claim is malformed: aud")
        << audience;
  }
  EXPECT_THAT(VerifyClaims(With("aud", "x")),
              Invalid("Incorrect token audience"));
  EXPECT_THAT(VerifyClaims(Without("aud")),
              Invalid("Missing a required claim: aud"));
}

TEST_F(WebIdentityTest, AsksForASubject) {
  EXPECT_THAT(VerifyClaims(With("sub", std::string(255, 's'))), IsOk());
  EXPECT_THAT(VerifyClaims(Without("sub")),
              Invalid("Missing a required claim: sub"));
  for (const json& subject : {json(""), json(7), json(nullptr), json({"s"}),
                              json(std::string(256, 's'))}) {
    EXPECT_THAT(VerifyClaims(With("sub", subject)),
                Invalid("The token's claim is malformed: sub"))
        << subject;
  }
}

TEST_F(WebIdentityTest, TakesAnAuthorizedPartyIfThereIsOne) {
  EXPECT_EQ(Take(VerifyClaims(Claims())).authorized_party, "");
  for (const json& party :
       {json(""), json(7), json({"a"}), json(std::string(256, 'a'))}) {
    EXPECT_THAT(VerifyClaims(With("azp", party)),
                Invalid("The token's claim is malformed: azp"));
  }
}

TEST_F(WebIdentityTest, RefusesAnExpiredToken) {
  EXPECT_THAT(VerifyClaims(With("exp", kNowSeconds + 1)), IsOk());
  EXPECT_THAT(VerifyClaims(With("exp", kNowSeconds + 1.5)), IsOk());
  for (const json& expired : {json(kNowSeconds), json(kNowSeconds + 0.5),
                              json(kNowSeconds - 1), json(0)}) {
    EXPECT_THAT(VerifyClaims(With("exp", expired)),
                StatusIs(ErrorCode::kExpiredIdentityToken,
                         AllOf(HasSubstr("Token expired: current date/time "
                                         "1700000000 must be before the "
                                         "expiration date/time "))))
        << expired;
  }
  EXPECT_THAT(provider_.Verify(Signed(Claims()), kNow + seconds(600)),
              StatusIs(ErrorCode::kExpiredIdentityToken,
                       "Token expired: current date/time 1700000600 must be "
                       "before the expiration date/time 1700000600"));
  EXPECT_THAT(VerifyClaims(Without("exp")),
              Invalid("Missing a required claim: exp"));
}

// Of a token that is wrong otherwise, its age is not told.
TEST_F(WebIdentityTest, AnExpiredTokenIsVerifiedFirst) {
  json claims = With("exp", 1);
  claims["aud"] = "x";
  EXPECT_THAT(VerifyClaims(claims), Invalid("Incorrect token audience"));
  EXPECT_THAT(Verify(SigningKey::Ec("P-256").Token("ES256", "p256",
                                                   With("exp", 1).dump())),
              bad_signature);
}

TEST_F(WebIdentityTest, RefusesATokenOfTheFuture) {
  for (const char* claim : {"nbf", "iat"}) {
    EXPECT_THAT(VerifyClaims(Without(claim)), IsOk());
    EXPECT_THAT(VerifyClaims(With(claim, 0)), IsOk());
    EXPECT_THAT(VerifyClaims(With(claim, kNowSeconds + 300)), IsOk());
    EXPECT_THAT(VerifyClaims(With(claim, kNowSeconds + 301)),
                Invalid("The token is not valid yet: its claim " +
                        std::string(claim) + " is in the future"));
  }
}

TEST_F(WebIdentityTest, RefusesDatesThatAreNone) {
  for (const char* claim : {"exp", "nbf", "iat"}) {
    for (const json& date : {json("1700000600"), json(nullptr), json(true),
                             json({1700000600}), json(-1), json(1e300),
                             json(253402300800), json(18446744073709551615U)}) {
      EXPECT_THAT(
          VerifyClaims(With(claim, date)),
          Invalid("The token's claim is malformed: " + std::string(claim)))
          << claim << " " << date;
    }
  }
}

TEST(IdentityProviderTest, HasTheNamesThatAwsGivesIt) {
  const auto provider = Take(IdentityProvider::Parse(Settings()));
  EXPECT_EQ(provider.issuer(), kIssuer);
  EXPECT_EQ(provider.ContextPrefix(), "token.example.com/tenant");
  EXPECT_EQ(provider.ProviderArn(kAccount),
            "arn:aws:iam::111122223333:oidc-provider/token.example.com/tenant");
  EXPECT_TRUE(provider.IsTrustedBy(kAccount));
  EXPECT_FALSE(provider.IsTrustedBy("444455556666"));
}

TEST(IdentityProviderTest, RefusesBadSettings) {
  const auto with = [](auto change) {
    ProviderSettings settings = Settings();
    change(settings);
    return IdentityProvider::Parse(std::move(settings));
  };
  const auto bad = [](const char* text) {
    return StatusIs(ErrorCode::kInvalidArgument, HasSubstr(text));
  };
  EXPECT_THAT(with([](auto& s) { s.issuer = "http://a"; }),
              bad("'http://a' is not an issuer"));
  EXPECT_THAT(with([](auto& s) { s.audiences.clear(); }), bad("audiences of"));
  EXPECT_THAT(with([](auto& s) { s.audiences.push_back(""); }),
              bad("audiences of"));
  EXPECT_THAT(with([](auto& s) { s.accounts.clear(); }), bad("accounts of"));
  EXPECT_THAT(with([](auto& s) { s.accounts[0] = "1"; }), bad("accounts of"));
  EXPECT_THAT(with([](auto& s) { s.key_set = "{}"; }), bad("not a JWK Set"));
}

TEST(IdentityProviderTest, KnowsAnIssuer) {
  for (const char* good :
       {"https://a", "https://token.example.com", "https://a/", "https://a/b/c",
        "https://a:8443", "https://a:8443/realms/My%20Realm",
        "https://a-b.c/x_y~z.w-v"}) {
    EXPECT_TRUE(IsIssuer(good)) << good;
  }
  for (const std::string& bad : {std::string(),
                                 std::string("https://"),
                                 std::string("https:///a"),
                                 std::string("http://a"),
                                 std::string("HTTPS://a"),
                                 std::string("a"),
                                 std::string("https://a?b"),
                                 std::string("https://a/?b"),
                                 std::string("https://a#b"),
                                 std::string("https://a/b#"),
                                 std::string("https://u@a"),
                                 std::string("https://a b"),
                                 std::string("https://a/b c"),
                                 std::string("https://a/*"),
                                 std::string("https://*.a"),
                                 std::string("https://a/${x}"),
                                 std::string("https://a:"),
                                 std::string("https://:1"),
                                 std::string("https://a:x"),
                                 std::string("https://a:123456"),
                                 std::string("https://a:1:2"),
                                 std::string("https://[::1]"),
                                 std::string("https://a/\n"),
                                 std::string("https://a/\0", 11),
                                 "https://a/" + std::string(246, 'a')}) {
    EXPECT_FALSE(IsIssuer(bad)) << bad;
  }
  EXPECT_TRUE(IsIssuer("https://a/" + std::string(245, 'a')));
}

TEST(FindProviderTest, FindsWhomTheTokenNamesAndTheAccountTrusts) {
  std::vector<IdentityProvider> providers;
  for (const auto& [issuer, account] :
       {std::pair("https://a", "111122223333"),
        std::pair("https://b", "444455556666"),
        std::pair("https://b", "111122223333")}) {
    ProviderSettings settings = Settings();
    settings.issuer = issuer;
    settings.accounts = {account};
    providers.push_back(Take(IdentityProvider::Parse(std::move(settings))));
  }
  const auto find = [&](std::string_view account, const json& claims) {
    return FindProvider(providers, account, Signed(claims));
  };
  EXPECT_THAT(find("111122223333", With("iss", "https://b")),
              testlib::IsOkAndHolds(&providers[2]));
  EXPECT_THAT(find("444455556666", With("iss", "https://b")),
              testlib::IsOkAndHolds(&providers[1]));
  EXPECT_THAT(
      find("444455556666", With("iss", "https://a")),
      Invalid("No OpenIDConnect provider found in your account for https://a"));
  EXPECT_THAT(find("111122223333", Without("iss")),
              Invalid("Missing a required claim: iss"));
  EXPECT_THAT(find("111122223333", With("iss", 7)),
              Invalid("The token's claim is malformed: iss"));
  EXPECT_THAT(FindProvider(providers, "111122223333", "x"), not_a_jwt);
}

}  // namespace
}  // namespace kms::identity
