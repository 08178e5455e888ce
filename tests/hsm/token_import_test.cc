// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "base/hash.h"
#include "hsm/token/attributes.h"
#include "hsm/token/connection.h"
#include "hsm/token/import.h"
#include "tests/hsm/import_fixture.h"

// Imported key material on SoftHSM.
namespace hsm::token {
namespace {

using testing::ElementsAre;
using enum WrappingAlgorithm;
using enum ImportRoute;

// Which way each wrapping algorithm takes on SoftHSM, for each kind of key. It
// unwraps RSAES-OAEP with SHA-1 only, PKCS#8 of RSA and EC keys but not of
// Ed25519.
struct Way {
  WrappingAlgorithm wrapping;
  Algorithm algorithm;
  ImportRoute route;
};
constexpr Way kWays[] = {
    {kOaepSha1, Algorithm::kXaes256Gcm, kInside},
    {kOaepSha1, Algorithm::kHmacSha224, kInside},
    {kOaepSha1, Algorithm::kHmacSha256, kInside},
    {kOaepSha1, Algorithm::kHmacSha384, kInside},
    {kOaepSha1, Algorithm::kHmacSha512, kInside},
    {kOaepSha1, Algorithm::kP256Sign, kInside},
    {kOaepSha1, Algorithm::kP384Agree, kInside},
    {kOaepSha1, Algorithm::kEd25519Sign, kInWorker},
    {kOaepSha256, Algorithm::kXaes256Gcm, kInWorker},
    {kOaepSha256, Algorithm::kHmacSha224, kInWorker},
    {kOaepSha256, Algorithm::kHmacSha512, kInWorker},
    {kOaepSha256, Algorithm::kP256Agree, kInWorker},
    {kOaepSha256, Algorithm::kP384Sign, kInWorker},
    {kOaepSha256, Algorithm::kEd25519Sign, kInWorker},
    {kRsaAesSha1, Algorithm::kXaes256Gcm, kInside},
    {kRsaAesSha1, Algorithm::kHmacSha384, kInside},
    {kRsaAesSha1, Algorithm::kRsa2048Sign, kInside},
    {kRsaAesSha1, Algorithm::kRsa3072Decrypt, kInside},
    {kRsaAesSha1, Algorithm::kP256Agree, kInside},
    {kRsaAesSha1, Algorithm::kP521Agree, kInside},
    {kRsaAesSha1, Algorithm::kSecp256k1Sign, kInside},
    {kRsaAesSha1, Algorithm::kEd25519Sign, kInWorker},
    {kRsaAesSha256, Algorithm::kXaes256Gcm, kWrappingKeyInWorker},
    {kRsaAesSha256, Algorithm::kHmacSha256, kWrappingKeyInWorker},
    {kRsaAesSha256, Algorithm::kRsa2048Decrypt, kWrappingKeyInWorker},
    {kRsaAesSha256, Algorithm::kRsa4096Sign, kWrappingKeyInWorker},
    {kRsaAesSha256, Algorithm::kP521Sign, kWrappingKeyInWorker},
    {kRsaAesSha256, Algorithm::kEd25519Sign, kInWorker},
};

const EVP_MD* DigestFor(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kHmacSha224:
      return EVP_sha224();
    case Algorithm::kHmacSha256:
      return EVP_sha256();
    case Algorithm::kHmacSha384:
      return EVP_sha384();
    default:
      return EVP_sha512();
  }
}

base::Bytes HmacByOpenssl(Algorithm algorithm, const base::Bytes& key,
                          std::string_view message) {
  base::Bytes mac(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  HMAC(DigestFor(algorithm), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(message.data()), message.size(),
       mac.data(), &size);
  mac.resize(size);
  return mac;
}

// Uses the imported key, and compares with what OpenSSL says of the material.
class WayTest : public ImportTest, public testing::WithParamInterface<Way> {
 protected:
  void ExpectSigns(const KeyRef& key, const Material& material) {
    const KeyKind kind = FindAlgorithm(key.algorithm)->kind;
    const SignatureScheme scheme = kind == KeyKind::kRsa ? SignatureScheme::kPss
                                   : kind == KeyKind::kEc
                                       ? SignatureScheme::kEcdsa
                                       : SignatureScheme::kEd25519;
    const auto made =
        token_->Execute(ToSign(key, scheme, Hash::kSha256, "message"));
    ASSERT_OK(made);
    EXPECT_TRUE(VerifiesMessage(ParsePublic(material.public_key), scheme,
                                Hash::kSha256, "message", made->signature));
  }

  void ExpectAgrees(const KeyRef& key, const Material& material) {
    const auto ours =
        PublicKey::OfPeer(*FindCurve(key.algorithm), material.public_key);
    const auto peer = PublicKey::NewPairOn(*FindCurve(key.algorithm));
    ASSERT_OK(ours);
    const auto agreed = token_->Execute(
        AgreeRequest{.key = key, .public_key = peer->Der().value()});
    ASSERT_OK(agreed);
    EXPECT_TRUE(std::ranges::equal(agreed->plaintext.Reveal(),
                                   peer->Agree(*ours)->Reveal()));
  }

  void ExpectDecrypts(const KeyRef& key, const Material& material) {
    RsaDecryptRequest request;
    request.key = key;
    request.ciphertext =
        OaepOf(material.public_key, EVP_sha256(), RandomOf(20));
    const auto opened = token_->Execute(request);
    ASSERT_OK(opened);
    EXPECT_EQ(opened->plaintext.size(), 20U);
  }

  void ExpectMacs(const KeyRef& key, const Material& material) {
    MacRequest request;
    request.key = key;
    request.message = base::Secret::CopyOf(std::string_view("message"));
    const auto made = token_->Execute(request);
    ASSERT_OK(made);
    EXPECT_EQ(made->mac,
              HmacByOpenssl(key.algorithm, material.bytes, "message"));
  }

  void ExpectWorks(const KeyRef& key, const Material& material) {
    switch (FindAlgorithm(key.algorithm)->use) {
      case KeyUse::kSign:
        return ExpectSigns(key, material);
      case KeyUse::kAgree:
        return ExpectAgrees(key, material);
      case KeyUse::kDecrypt:
        return ExpectDecrypts(key, material);
      case KeyUse::kMac:
        return ExpectMacs(key, material);
      case KeyUse::kEncrypt:
        EXPECT_FALSE(Encrypted(key, "secret").ciphertext.empty());
        return;
      case KeyUse::kUnwrap:
      case KeyUse::kWrap:
        FAIL();
    }
  }
};

INSTANTIATE_TEST_SUITE_P(SoftHsm, WayTest, testing::ValuesIn(kWays));

TEST_P(WayTest, TheMaterialTakesThisRouteAndIsTheKey) {
  const auto& [wrapping, algorithm, route] = GetParam();
  const Material material = MaterialFor(algorithm);
  const auto request = ToImport(algorithm, wrapping, material.bytes);
  const auto told = token_->Execute(
      ImportRouteRequest{.algorithm = algorithm, .wrapping = wrapping});
  ASSERT_OK(told);
  EXPECT_EQ(told->route, route);
  const auto imported = token_->Execute(request);
  ASSERT_OK(imported);
  EXPECT_EQ(imported->route, route);
  EXPECT_EQ(imported->public_key, material.public_key);
  if (!material.public_key.empty()) {
    EXPECT_EQ(imported->check_value,
              base::ThreadHasher().Sha256(material.public_key));
  }
  EXPECT_EQ(Objects(), 2U);
  ExpectWorks(request.key, material);
  Reopen();
  ExpectWorks(request.key, material);
}

TEST_P(WayTest, StrictMeansInside) {
  const auto& [wrapping, algorithm, route] = GetParam();
  auto request = ToImport(algorithm, wrapping, MaterialFor(algorithm).bytes);
  request.strict = true;
  const auto imported = token_->Execute(request);
  if (route == kInside) {
    ASSERT_OK(imported);
    return;
  }
  EXPECT_ERROR(imported, kUnsupportedOperation);
  EXPECT_EQ(Objects(), 1U);
}

// The design's attributes: a copy is what SoftHSM can only make copyable.
TEST_P(WayTest, TheObjectCanDoNothingElse) {
  const auto& [wrapping, algorithm, route] = GetParam();
  const auto request =
      ToImport(algorithm, wrapping, MaterialFor(algorithm).bytes);
  ASSERT_OK(token_->Execute(request));
  token_.reset();
  const auto connection = Connection::Open(place_.Config());
  ASSERT_OK(connection);
  Session& session = (*connection)->sessions().anchor();
  const auto found = session.FindObjects(ObjectsWithId(request.key.locator));
  ASSERT_EQ(found.value.size(), 1U);
  const KeyUse use = FindAlgorithm(algorithm)->use;
  const std::map<CK_ATTRIBUTE_TYPE, bool> expected = {
      {CKA_TOKEN, true},
      {CKA_PRIVATE, true},
      {CKA_SENSITIVE, true},
      {CKA_EXTRACTABLE, false},
      {CKA_MODIFIABLE, false},
      {CKA_COPYABLE, route != kInWorker},
      {CKA_LOCAL, false},
      {CKA_SIGN, use == KeyUse::kSign || use == KeyUse::kMac},
      {CKA_DECRYPT, use == KeyUse::kDecrypt},
      {CKA_DERIVE, use == KeyUse::kAgree || use == KeyUse::kEncrypt},
      {CKA_UNWRAP, false}};
  for (const auto& [type, value] : expected) {
    EXPECT_EQ(session.ReadAttribute(found.value[0], type).value,
              base::Bytes{value})
        << std::hex << type;
  }
  const bool is_rsa = FindAlgorithm(algorithm)->kind == KeyKind::kRsa;
  EXPECT_EQ(session
                .ReadAttribute(found.value[0],
                               is_rsa ? CKA_PRIVATE_EXPONENT : CKA_VALUE)
                .rv,
            CKR_ATTRIBUTE_SENSITIVE);
}

// Every byte but those of the modulus' size would take minutes: some of each
// part.
TEST_P(WayTest, ATamperedWrappingIsRefusedAndLeavesNothing) {
  const auto& [wrapping, algorithm, route] = GetParam();
  const auto request =
      ToImport(algorithm, wrapping, MaterialFor(algorithm).bytes);
  const std::size_t size = request.wrapped.size();
  std::vector<std::size_t> places = {0, 1, 100, 255};
  if (size > 256) {
    places.insert(places.end(), {256, 263, 264, (256 + size) / 2, size - 1});
  }
  for (const std::size_t place : places) {
    auto changed = request;
    changed.wrapped[place] ^= 1;
    EXPECT_ERROR(token_->Execute(changed), kInvalidCiphertext);
  }
  for (const std::size_t cut : {std::size_t{0}, std::size_t{255}, size - 1}) {
    auto changed = request;
    changed.wrapped.resize(cut);
    EXPECT_ERROR(token_->Execute(changed), kInvalidCiphertext);
  }
  for (const std::size_t more : {1, 8}) {
    auto changed = request;
    changed.wrapped.resize(size + more);
    EXPECT_ERROR(token_->Execute(changed), kInvalidCiphertext);
  }
  EXPECT_EQ(Objects(), 1U);
  ASSERT_OK(token_->Execute(request));
}

TEST_P(WayTest, AnotherAlgorithmOrPairDoesNotUnwrap) {
  const auto& [wrapping, algorithm, route] = GetParam();
  const auto request =
      ToImport(algorithm, wrapping, MaterialFor(algorithm).bytes);
  for (const WrappingAlgorithm other :
       {kOaepSha1, kOaepSha256, kRsaAesSha1, kRsaAesSha256}) {
    auto changed = request;
    changed.wrapping = other;
    if (other != wrapping) {
      EXPECT_ERROR(token_->Execute(changed), kInvalidCiphertext);
    }
  }
  auto changed = request;
  changed.wrapping_key = MadeOf(Algorithm::kRsa2048Unwrap).key;
  EXPECT_ERROR(token_->Execute(changed), kInvalidCiphertext);
  changed.wrapping_key = NewKey(Algorithm::kRsa2048Unwrap);
  EXPECT_ERROR(token_->Execute(changed), kNotFound);
  EXPECT_EQ(Objects(), 2U);
}

TEST_F(ImportTest, OnlyTheLengthsOfTheSpecsAreTaken) {
  for (const WrappingAlgorithm wrapping :
       {kOaepSha1, kOaepSha256, kRsaAesSha1, kRsaAesSha256}) {
    for (const std::size_t size : {16, 24, 31, 33, 40, 64}) {
      EXPECT_ERROR(token_->Execute(ToImport(Algorithm::kXaes256Gcm, wrapping,
                                            RandomOf(size))),
                   kInvalidCiphertext);
    }
    for (const Algorithm algorithm :
         {Algorithm::kHmacSha224, Algorithm::kHmacSha256,
          Algorithm::kHmacSha384, Algorithm::kHmacSha512}) {
      const auto [min, max] = ImportedSize(algorithm);
      for (const std::size_t size : {min - 1, max + 1, max + 8}) {
        EXPECT_ERROR(
            token_->Execute(ToImport(algorithm, wrapping, RandomOf(size))),
            kInvalidCiphertext);
      }
    }
  }
  for (const WrappingAlgorithm wrapping : {kOaepSha1, kOaepSha256}) {
    EXPECT_ERROR(
        token_->Execute(ToImport(Algorithm::kXaes256Gcm, wrapping, {})),
        kInvalidCiphertext);
  }
  EXPECT_EQ(Objects(), 1U);
}

// Odd lengths are kept as they are.
TEST_F(WayTest, AnHmacKeyOfAnyLengthIsItself) {
  for (const WrappingAlgorithm wrapping :
       {kOaepSha1, kOaepSha256, kRsaAesSha1, kRsaAesSha256}) {
    for (const Algorithm algorithm :
         {Algorithm::kHmacSha224, Algorithm::kHmacSha256,
          Algorithm::kHmacSha384, Algorithm::kHmacSha512}) {
      const auto [min, max] = ImportedSize(algorithm);
      for (const std::size_t size : {min, min + 1, min + 5, max - 1, max}) {
        const Material material = {RandomOf(size), {}};
        const auto request = ToImport(algorithm, wrapping, material.bytes);
        ASSERT_OK(token_->Execute(request));
        ExpectMacs(request.key, material);
      }
    }
  }
}

TEST_F(ImportTest, TheSameBytesHaveTheSameCheckValueWhicheverWayTheyCame) {
  const base::Bytes bytes = RandomOf(32);
  std::vector<CheckValue> values;
  std::vector<KeyRef> keys;
  for (const WrappingAlgorithm wrapping :
       {kOaepSha1, kOaepSha256, kRsaAesSha1, kRsaAesSha256}) {
    const auto request = ToImport(Algorithm::kXaes256Gcm, wrapping, bytes);
    const auto imported = token_->Execute(request);
    ASSERT_OK(imported);
    values.push_back(imported->check_value);
    keys.push_back(request.key);
    const auto checked = token_->Execute(CheckKeyRequest{request.key});
    ASSERT_OK(checked);
    EXPECT_EQ(checked->check_value, imported->check_value);
  }
  EXPECT_THAT(values, ElementsAre(values[0], values[0], values[0], values[0]));
  // It is the key: what one seals, the other opens.
  const auto opened =
      token_->Execute(ToDecrypt(keys[1], Encrypted(keys[0], "secret")));
  ASSERT_OK(opened);
  EXPECT_EQ(base::AsText(opened->plaintext.Reveal()), "secret");
  const auto other = token_->Execute(
      ToImport(Algorithm::kXaes256Gcm, kOaepSha1, RandomOf(32)));
  ASSERT_OK(other);
  EXPECT_NE(other->check_value, values[0]);
}

TEST_F(ImportTest, AKeyOfAnotherKindIsRefused) {
  constexpr std::pair<Algorithm, Algorithm> kOthers[] = {
      {Algorithm::kRsa2048Sign, Algorithm::kRsa3072Sign},
      {Algorithm::kP256Sign, Algorithm::kSecp256k1Sign},
      {Algorithm::kSecp256k1Sign, Algorithm::kP256Sign},
      {Algorithm::kP384Sign, Algorithm::kP256Agree},
      {Algorithm::kP256Sign, Algorithm::kRsa2048Sign},
      {Algorithm::kRsa2048Sign, Algorithm::kP256Sign},
      {Algorithm::kP256Sign, Algorithm::kEd25519Sign},
      {Algorithm::kEd25519Sign, Algorithm::kP256Sign},
      {Algorithm::kP256Sign, Algorithm::kXaes256Gcm},
      {Algorithm::kXaes256Gcm, Algorithm::kP256Sign}};
  for (const auto& [is, said] : kOthers) {
    const Material material = MaterialFor(is);
    for (const WrappingAlgorithm wrapping : {kRsaAesSha1, kRsaAesSha256}) {
      EXPECT_ERROR(token_->Execute(ToImport(said, wrapping, material.bytes)),
                   kInvalidCiphertext);
    }
  }
  EXPECT_EQ(Objects(), 1U);
}

// A public point that is another key's, and numbers that make no key.
TEST_F(ImportTest, PrivateKeysThatContradictThemselvesAreRefused) {
  Material ec = MaterialFor(Algorithm::kP256Sign);
  const Material other = MaterialFor(Algorithm::kP256Sign);
  constexpr std::ptrdiff_t kPoint = 64;
  std::copy(other.bytes.end() - kPoint, other.bytes.end(),
            ec.bytes.end() - kPoint);
  EXPECT_ERROR(
      token_->Execute(ToImport(Algorithm::kP256Sign, kOaepSha256, ec.bytes)),
      kInvalidCiphertext);
  Material rsa = MaterialFor(Algorithm::kRsa2048Sign);
  rsa.bytes[60] ^= 1;  // In the modulus.
  for (const WrappingAlgorithm wrapping : {kRsaAesSha1, kRsaAesSha256}) {
    const auto imported =
        token_->Execute(ToImport(Algorithm::kRsa2048Sign, wrapping, rsa.bytes));
    EXPECT_ERROR(imported, kInvalidCiphertext);
  }
  EXPECT_EQ(Objects(), 1U);
}

TEST_F(ImportTest, ALocatorIsTakenOnce) {
  auto request = ToImport(Algorithm::kXaes256Gcm, kOaepSha1, RandomOf(32));
  ASSERT_OK(token_->Execute(request));
  EXPECT_ERROR(token_->Execute(request), kAlreadyExists);
  EXPECT_EQ(Objects(), 2U);
}

TEST_F(ImportTest, TheWrappingPairTellsNobodyWhatItUnwraps) {
  RsaDecryptRequest request;
  request.hash = Hash::kSha256;
  request.key = wrapping_.key;
  request.ciphertext = Wrapped(wrapping_.public_key, kOaepSha256, RandomOf(32));
  EXPECT_ERROR(token_->Execute(request), kInvalidArgument);
  request.key.algorithm = Algorithm::kRsa2048Decrypt;
  EXPECT_ERROR(token_->Execute(request), kInvalidArgument);
}

TEST_F(ImportTest, OnlyAWrappingPairUnwrapsAndOnlyKeysAreImported) {
  auto request = ToImport(Algorithm::kXaes256Gcm, kOaepSha1, RandomOf(32));
  request.wrapping_key.algorithm = Algorithm::kRsa2048Decrypt;
  EXPECT_ERROR(token_->Execute(request), kInvalidArgument);
  request = ToImport(Algorithm::kXaes256Gcm, kOaepSha1, RandomOf(32));
  request.key.algorithm = Algorithm::kRsa2048Unwrap;
  EXPECT_ERROR(token_->Execute(request), kInvalidArgument);
  request.key.algorithm = static_cast<Algorithm>(99);
  EXPECT_ERROR(token_->Execute(request), kInvalidArgument);
  EXPECT_ERROR(
      token_->Execute(ImportRouteRequest{.algorithm = Algorithm::kRsa2048Unwrap,
                                         .wrapping = kOaepSha1}),
      kInvalidArgument);
}

TEST_F(ImportTest, WrappingPairsOfEverySizeUnwrap) {
  for (const Algorithm pair :
       {Algorithm::kRsa3072Unwrap, Algorithm::kRsa4096Unwrap}) {
    wrapping_ = MadeOf(pair);
    for (const WrappingAlgorithm wrapping :
         {kOaepSha1, kOaepSha256, kRsaAesSha1, kRsaAesSha256}) {
      const Material material = MaterialFor(Algorithm::kP521Sign);
      const auto imported = token_->Execute(
          ToImport(Algorithm::kP521Sign, wrapping, material.bytes));
      ASSERT_OK(imported);
      EXPECT_EQ(imported->public_key, material.public_key);
    }
  }
}

}  // namespace
}  // namespace hsm::token
