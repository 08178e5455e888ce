// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kms/identity/base64url.h"
#include "kms/identity/jwk.h"
#include "tests/kms/web_token.h"
#include "tests/testlib/status.h"

namespace kms::identity {
namespace {

using base::ErrorCode;
using testing::HasSubstr;
using testlib::IsOk;
using testlib::StatusIs;
using testlib::Take;

// RFC 7515 appendix A.2.1, without the private members.
constexpr const char* kRfcRsa =
    R"("kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQo)"
    R"(Tbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-)"
    R"(pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS)"
    R"(5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qC)"
    R"(o5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91k)"
    R"(zk2PAcDTW9gb54h4FRWyuXpoQ")";

// RFC 7515 appendix A.3.1, likewise.
constexpr const char* kRfcEc =
    R"("kty":"EC","crv":"P-256",)"
    R"("x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
    R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")";

constexpr std::string_view kRfcPayload =
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNv"
    "bS9pc19yb290Ijp0cnVlfQ";

struct RfcVector {
  const char* algorithm;
  const char* members;
  const char* header;
  const char* signature;
};
constexpr RfcVector kRfcVectors[] = {
    {"RS256", kRfcRsa, "eyJhbGciOiJSUzI1NiJ9",
     "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4B"
     "h-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZ"
     "LgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_d"
     "O--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6"
     "LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"},
    {"ES256", kRfcEc, "eyJhbGciOiJFUzI1NiJ9",
     "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKT"
     "UJqPP3-Kg6NU1Q"},
};

std::string Jwk(const std::string& members, const char* kid = "k") {
  return R"({"kid":")" + std::string(kid) + "\"," + members + "}";
}
std::string SetOf(const std::string& jwks) {
  return R"({"keys":[)" + jwks + "]}";
}

auto Refuses(const std::string& reason) {
  return StatusIs(ErrorCode::kInvalidArgument, HasSubstr(reason));
}

// `members` with one text in it replaced.
std::string Replaced(std::string members, std::string_view old,
                     std::string_view by) {
  const auto at = members.find(old);
  EXPECT_NE(at, std::string::npos) << old;
  return members.replace(at, old.size(), by);
}

TEST(VerificationKeyTest, VerifiesTheExamplesOfRfc7515) {
  for (const RfcVector& vector : kRfcVectors) {
    const auto keys = Take(ParseKeySet(SetOf(Jwk(vector.members))));
    ASSERT_EQ(keys.size(), 1U);
    EXPECT_EQ(keys[0].id(), "k");
    std::string message(vector.header);
    message += kRfcPayload;
    base::Bytes signature = Take(Base64UrlDecode(vector.signature));
    EXPECT_THAT(keys[0].Verify(vector.algorithm, message, signature), IsOk());
    for (std::size_t i = 0; i < signature.size(); ++i) {
      signature[i] ^= 1;
      EXPECT_THAT(keys[0].Verify(vector.algorithm, message, signature),
                  StatusIs(ErrorCode::kInvalidIdentityToken));
      signature[i] ^= 1;
    }
    message[0] ^= 1;
    EXPECT_THAT(keys[0].Verify(vector.algorithm, message, signature),
                StatusIs(ErrorCode::kInvalidIdentityToken));
  }
}

TEST(VerificationKeyTest, KeepsToTheAlgorithmThatItNames) {
  const SigningKey key = SigningKey::Rsa(2048);
  const auto keys =
      Take(ParseKeySet(SetOf(Jwk(key.PublicMembers() + R"(,"alg":"RS256")"))));
  EXPECT_THAT(keys[0].Verify("RS256", "m", key.Sign("RS256", "m")), IsOk());
  EXPECT_THAT(keys[0].Verify("PS256", "m", key.Sign("PS256", "m")),
              StatusIs(ErrorCode::kInvalidIdentityToken,
                       "The token's signature algorithm is not that of its "
                       "key"));
}

TEST(KeySetTest, PassesOverKeysForOtherPurposes) {
  const std::string ec(kRfcEc);
  const std::string set =
      SetOf(R"({"kty":"OKP","crv":"Ed25519","x":"AAAA"},)"
            R"({"kty":"EC","crv":"P-521","x":"!","y":"!"},)" +
            Jwk(ec + R"(,"use":"enc")") + "," +
            Jwk(ec + R"(,"key_ops":["deriveKey"])") + "," +
            Jwk(ec + R"(,"key_ops":[])") + "," +
            Jwk(std::string(kRfcRsa) + R"(,"alg":"RSA-OAEP")") + "," +
            Jwk(ec + R"(,"use":"sig","key_ops":["verify"],"alg":"ES256",)"
                     R"("x5t":"AAAA","unknown":{})",
                "good"));
  const auto keys = Take(ParseKeySet(set));
  ASSERT_EQ(keys.size(), 1U);
  EXPECT_EQ(keys[0].id(), "good");
}

TEST(KeySetTest, RefusesASetWithoutAKeyThatVerifies) {
  const std::string none = "has no key that verifies signatures";
  EXPECT_THAT(ParseKeySet(R"({"keys":[]})"), Refuses(none));
  EXPECT_THAT(ParseKeySet(SetOf(R"({"kty":"OKP"})")), Refuses(none));
  EXPECT_THAT(ParseKeySet(SetOf(Jwk(std::string(kRfcEc) + R"(,"use":"enc")"))),
              Refuses(none));
}

TEST(KeySetTest, RefusesWhatIsNoSet) {
  for (const char* text : {"", "{", "keys", R"({"keys":[],"keys":[]})"}) {
    EXPECT_THAT(ParseKeySet(text), Refuses("not JSON that can be read"))
        << text;
  }
  for (const char* text : {"[]", "{}", R"({"keys":{}})", R"({"Keys":[]})"}) {
    EXPECT_THAT(ParseKeySet(text), Refuses("is not a JWK Set")) << text;
  }
  EXPECT_THAT(ParseKeySet(SetOf("7")),
              Refuses("key 1 of the JWK Set: it is not an object"));
}

TEST(KeySetTest, RefusesPrivateMembersOfAnyKey) {
  const std::string good = Jwk(kRfcEc, "good") + ",";
  for (const std::string member :
       {"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"}) {
    const std::string more = ",\"" + member + "\":\"AAAA\"";
    for (const std::string& members :
         {kRfcEc + more, kRfcRsa + more, R"("kty":"oct")" + more,
          R"("kty":"OKP")" + more, std::string(R"("use":"enc")") + more}) {
      EXPECT_THAT(ParseKeySet(SetOf(good + Jwk(members))),
                  Refuses("key 2 of the JWK Set: it holds the private member "
                          "\"" +
                          member + "\""));
    }
  }
}

TEST(KeySetTest, RefusesKeysThatCannotBeToldApart) {
  EXPECT_THAT(ParseKeySet(SetOf(Jwk(kRfcEc) + "," + Jwk(kRfcRsa))),
              Refuses("key 2 of the JWK Set: its \"kid\" is that of a key "
                      "before it"));
  EXPECT_THAT(ParseKeySet(SetOf("{" + std::string(kRfcEc) + "}")),
              Refuses("its \"kid\" is missing"));
  EXPECT_THAT(ParseKeySet(SetOf(Jwk(kRfcEc, ""))),
              Refuses("its \"kid\" is empty"));
  EXPECT_THAT(ParseKeySet(SetOf(R"({"kid":7,)" + std::string(kRfcEc) + "}")),
              Refuses("its \"kid\" is not a text"));
}

TEST(KeySetTest, RefusesWeakRsaKeys) {
  EXPECT_THAT(ParseKeySet(SetOf(Jwk(SigningKey::Rsa(1024).PublicMembers()))),
              Refuses("its RSA modulus has 1024 bits, not 2048 to 8192"));
  const std::string large = Base64UrlEncode(std::string(1025, '\x7f'));
  EXPECT_THAT(
      ParseKeySet(SetOf(Jwk(R"("kty":"RSA","e":"AQAB","n":")" + large + "\""))),
      Refuses("its RSA modulus has 8199 bits"));
  for (const char* exponent : {"AQ", "Ag", "AAAA", "AAE"}) {  // 1, 2, 0, 1.
    EXPECT_THAT(
        ParseKeySet(SetOf(Jwk(Replaced(kRfcRsa, R"("AQAB")",
                                       "\"" + std::string(exponent) + "\"")))),
        Refuses("its \"n\" and \"e\" are not an RSA public key"))
        << exponent;
  }
  // Even.
  EXPECT_THAT(ParseKeySet(SetOf(Jwk(Replaced(kRfcRsa, "WyuXpoQ", "WyuXpog")))),
              Refuses("are not an RSA public key"));
}

TEST(KeySetTest, RefusesMalformedKeys) {
  const std::string ec(kRfcEc);
  const std::string rsa(kRfcRsa);
  const std::pair<std::string, const char*> cases[] = {
      {R"("x":"AAAA")", "its \"kty\" is missing"},
      {R"("kty":7)", "its \"kty\" is not a text"},
      {R"("kty":"EC")", "its \"crv\" is missing"},
      {R"("kty":"EC","crv":256)", "its \"crv\" is not a text"},
      {R"("kty":"EC","crv":"P-256")", "its \"x\" is missing"},
      {R"("kty":"RSA","n":"AQAB")", "its \"e\" is missing"},
      {R"("kty":"RSA","e":"AQAB")", "its \"n\" is missing"},
      {Replaced(rsa, R"("AQAB")", "65537"), "its \"e\" is not a text"},
      {Replaced(rsa, R"("AQAB")", R"("")"), "its \"e\" is not base64url"},
      {Replaced(rsa, R"("AQAB")", R"("AQ==")"), "its \"e\" is not base64url"},
      {Replaced(rsa, R"(XpoQ")", R"(Xpo+")"), "its \"n\" is not base64url"},
      {Replaced(ec, "f83OJ3", "f83\\n"), "its \"x\" is not base64url"},
      {Replaced(ec, "f83OJ3D2xF1Bg8vu", "f83OJ3D2xF1B"),
       "must have 32 bytes each"},
      {Replaced(ec, "f83O", "AAAAf83O"), "must have 32 bytes each"},
      {Replaced(ec, "f83O", "f83P"), "are not a point of P-256"},
      {Replaced(ec, "P-256", "P-384"), "must have 48 bytes each"},
      {R"("kty":"EC","crv":"P-256","x":")" + std::string(43, 'A') +
           R"(","y":")" + std::string(43, 'A') + "\"",
       "are not a point of P-256"},
      {ec + R"(,"use":7)", "its \"use\" is not a text"},
      {ec + R"(,"key_ops":"verify")", "its \"key_ops\" is not a list"},
      {ec + R"(,"alg":7)", "its \"alg\" is not a text"},
      {ec + R"(,"alg":"RS256")", "its \"alg\" does not fit its type"},
      {ec + R"(,"alg":"ES384")", "its \"alg\" does not fit its type"},
      {rsa + R"(,"alg":"ES256")", "its \"alg\" does not fit its type"},
  };
  for (const auto& [members, reason] : cases) {
    EXPECT_THAT(
        ParseKeySet(SetOf(Jwk(members))),
        StatusIs(ErrorCode::kInvalidArgument,
                 testing::AllOf(testing::StartsWith("key 1 of the JWK Set: "),
                                HasSubstr(reason))))
        << members;
  }
}

TEST(Base64UrlTest, IsStrict) {
  EXPECT_EQ(base::AsText(Take(Base64UrlDecode("-_8"))), "\xfb\xff");
  EXPECT_EQ(base::AsText(Take(Base64UrlDecode(""))), "");
  for (const char* bad : {"A", "AA==", "+/8", "-_9", "A A", "AAA=", "AAAAA",
                          "AB\n", "\xff\xff"}) {
    EXPECT_THAT(Base64UrlDecode(bad), StatusIs(ErrorCode::kInvalidArgument))
        << bad;
  }
}

}  // namespace
}  // namespace kms::identity
