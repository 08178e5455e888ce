// SPDX-License-Identifier: Apache-2.0
// DeriveSharedSecret, with OpenSSL as the other party.
#include "base/bytes.h"
#include "tests/kms/openssl_key.h"
#include "tests/kms/operations_testing.h"

namespace kms::operations {
namespace {

using base::Bytes;
using base::ErrorCode;
using nlohmann::json;
using testlib::StatusIs;
using testlib::Take;

class AgreementTest : public OperationsTest {
 protected:
  std::string Create(std::string_view spec) {
    return Take(Ask("CreateKey",
                    {{"KeySpec", spec}, {"KeyUsage", "KEY_AGREEMENT"}}))
        .at("KeyMetadata")
        .at("Arn");
  }
  base::Result<json> Derive(const std::string& key, const Bytes& peer,
                            const json& more = json::object()) {
    json input = {{"KeyId", key},
                  {"KeyAgreementAlgorithm", "ECDH"},
                  {"PublicKey", base::Base64Encode(peer)}};
    input.update(more);
    return Ask("DeriveSharedSecret", input);
  }
  OpensslKey PublicKeyOf(const std::string& key) {
    const json reply = Take(Ask("GetPublicKey", {{"KeyId", key}}));
    const std::string text = reply.at("PublicKey");
    return OpensslKey::FromSpki(Take(base::Base64Decode(text)));
  }
};

TEST_F(AgreementTest, BothPartiesGetTheSame) {
  for (const char* spec : {"ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521"}) {
    SCOPED_TRACE(spec);
    const std::string key = Create(spec);
    const OpensslKey peer = OpensslKey::Generate(spec);
    const std::string secret = base::Base64Encode(peer.Agree(PublicKeyOf(key)));
    EXPECT_EQ(Take(Derive(key, peer.Spki())),
              json({{"KeyId", key},
                    {"SharedSecret", secret},
                    {"KeyAgreementAlgorithm", "ECDH"},
                    {"KeyOrigin", "AWS_KMS"}}));
    EXPECT_EQ(Take(Derive(key, peer.CompressedSpki())).at("SharedSecret"),
              secret);
    EXPECT_THAT(LogText(), testing::Not(testing::HasSubstr(secret)));
  }
}

// AWS answers a ValidationException without a message.
TEST_F(AgreementTest, RefusesWhatIsNoPointOfItsCurve) {
  const std::string key = Create("ECC_NIST_P256");
  const OpensslKey peer = OpensslKey::Generate("ECC_NIST_P256");
  Bytes off_curve = peer.Spki();
  off_curve.back() ^= 1;
  Bytes longer = peer.Spki();
  longer.push_back(0);
  const std::vector<Bytes> bad = {
      Bytes{1},
      Bytes(8192, 0x30),
      off_curve,
      longer,
      peer.ExplicitSpki(),
      OpensslKey::Generate("ECC_NIST_P384").Spki(),
      OpensslKey::Generate("ECC_SECG_P256K1").Spki(),
      OpensslKey::Generate("ECC_NIST_EDWARDS25519").Spki(),
      OpensslKey::Generate("RSA_2048").Spki()};
  for (std::size_t i = 0; i < bad.size(); ++i) {
    EXPECT_THAT(Derive(key, bad[i]), StatusIs(ErrorCode::kValidation, "")) << i;
  }
}

TEST_F(AgreementTest, RefusesRecipientsAndDryRuns) {
  const std::string key = Create("ECC_NIST_P256");
  const Bytes peer = OpensslKey::Generate("ECC_NIST_P256").Spki();
  EXPECT_THAT(Derive(key, peer, {{"Recipient", json::object()}}),
              StatusIs(ErrorCode::kUnsupportedOperation));
  EXPECT_THAT(Derive(key, peer, {{"DryRun", true}}),
              StatusIs(ErrorCode::kDryRun));
  EXPECT_THAT(Derive(key, Bytes(8193, 1)),
              StatusIs(ErrorCode::kValidation,
                       testing::HasSubstr("at 'publicKey' failed")));
  EXPECT_THAT(
      Derive(key, peer, {{"KeyAgreementAlgorithm", "X25519"}}),
      StatusIs(ErrorCode::kValidation,
               testing::HasSubstr("at 'keyAgreementAlgorithm' failed")));
}

}  // namespace
}  // namespace kms::operations
