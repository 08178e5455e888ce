// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_HSM_CONTRACT_FIXTURE_H_
#define TESTS_HSM_CONTRACT_FIXTURE_H_

#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "tests/hsm/pair_fixture.h"
#include "tests/hsm/wrapped_material.h"

// The contract of hsm::token::Token: the same tests on each token that there
// is. What only one of them does is tested elsewhere.
namespace hsm::token {

// A fresh token of some kind, as long as it lives.
class TokenPlace {
 public:
  virtual ~TokenPlace() = default;
  virtual TokenConfig Config() const = 0;
};

template <typename Place>
class TokenPlaceOf final : public TokenPlace {
 public:
  static std::unique_ptr<TokenPlace> Make() {
    return std::make_unique<TokenPlaceOf>();
  }
  TokenConfig Config() const override { return place_.Config(); }

 private:
  Place place_;
};

// A kind of token, and what it is known to lack.
struct TokenKind {
  const char* name;
  std::unique_ptr<TokenPlace> (*make)();
  std::vector<Algorithm> lacks;
  bool wraps;  // Has a placement `wrapped`.
  // A part of the reason why it cannot be opened; null if it can. Nothing else
  // is asked of such a token.
  const char* refusal = nullptr;

  bool Has(Algorithm algorithm) const {
    return std::ranges::find(lacks, algorithm) == lacks.end();
  }
  bool Encrypts() const { return Has(Algorithm::kXaes256Gcm); }
};

inline std::ostream& operator<<(std::ostream& out, const TokenKind& kind) {
  return out << kind.name;
}

// Those of this program: SoftHSM, NSS and SoftHSM that makes the IVs itself in
// contract_kinds.cc, what tools/test --tokens starts in daemon_kinds.cc.
std::vector<TokenKind> TokenKinds();

using OfKind = testing::WithParamInterface<TokenKind>;

// The place of the kind that this test is about.
class ContractPlace {
 public:
  ContractPlace() : place_(OfKind::GetParam().make()) {}
  TokenConfig Config() const { return place_->Config(); }

 private:
  std::unique_ptr<TokenPlace> place_;
};

class ContractTest : public PairTestOn<ContractPlace>, public OfKind {
 protected:
  void SetUp() override {
    const char* const refusal = GetParam().refusal;
    if (refusal == nullptr) {
      PairTestOn<ContractPlace>::SetUp();
      return;
    }
    const auto token = Token::Open(place_.Config(), clock_);
    EXPECT_ERROR(token, kUnsupportedOperation);
    EXPECT_THAT(token.error().message, testing::HasSubstr(refusal));
    GTEST_SKIP() << GetParam().name << " is refused: " << refusal;
  }

  // Whether or not this token has them.
  static std::vector<Algorithm> Every(KeyUse use) {
    std::vector<Algorithm> found;
    for (const AlgorithmRow& row : kAlgorithmRows) {
      // Larger ones of RSA differ by the time that they take.
      if (row.use == use && (row.kind != KeyKind::kRsa || row.bits == 2048)) {
        found.push_back(row.algorithm);
      }
    }
    return found;
  }

  static std::vector<Algorithm> Those(KeyUse use) {
    std::vector<Algorithm> found = Every(use);
    std::erase_if(found, [](Algorithm each) { return !GetParam().Has(each); });
    return found;
  }

  // Of a pair, and how it signs: of all tokens the quickest to make.
  static Algorithm Signing() {
    return GetParam().Has(Algorithm::kP256Sign) ? Algorithm::kP256Sign
                                                : Algorithm::kRsa2048Sign;
  }
  static SignatureScheme Scheme() {
    return GetParam().Has(Algorithm::kP256Sign) ? SignatureScheme::kEcdsa
                                                : SignatureScheme::kPss;
  }
};

// Of keys that encrypt. A token without AES-GCM refuses them all.
class ContractEncryptionTest : public ContractTest {
 protected:
  void SetUp() override {
    ContractTest::SetUp();
    if (IsSkipped() || HasFatalFailure() || GetParam().Encrypts()) {
      return;
    }
    for (const Algorithm algorithm : Every(KeyUse::kEncrypt)) {
      const KeyRef key = NewKey(algorithm);
      EXPECT_ERROR(token_->Execute(GenerateKeyRequest{key}),
                   kUnsupportedOperation);
      EXPECT_ERROR(token_->Execute(ToEncrypt(key, "secret")),
                   kUnsupportedOperation);
    }
    GTEST_SKIP() << GetParam().name << " has no AES-GCM, and so no such keys";
  }
};

#define CLAVIGER_CONTRACT(Suite)                      \
  INSTANTIATE_TEST_SUITE_P(                           \
      Tokens, Suite, testing::ValuesIn(TokenKinds()), \
      [](const auto& each) { return std::string(each.param.name); })

}  // namespace hsm::token

#endif  // TESTS_HSM_CONTRACT_FIXTURE_H_
