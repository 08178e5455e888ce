// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_HSM_CONTRACT_FIXTURE_H_
#define TESTS_HSM_CONTRACT_FIXTURE_H_

#include <algorithm>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "tests/fakes/nss_token.h"
#include "tests/fakes/softhsm_token.h"
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

  bool Has(Algorithm algorithm) const {
    return std::ranges::find(lacks, algorithm) == lacks.end();
  }
};

inline std::ostream& operator<<(std::ostream& out, const TokenKind& kind) {
  return out << kind.name;
}

inline std::vector<TokenKind> TokenKinds() {
  return {
      {.name = "SoftHsm",
       .make = TokenPlaceOf<fakes::SoftHsmToken>::Make,
       .lacks = {},
       .wraps = true},
      {.name = "Nss",
       .make = TokenPlaceOf<fakes::NssToken>::Make,
       .lacks = {Algorithm::kSecp256k1Sign, Algorithm::kEd25519Sign},
       .wraps = false},
  };
}

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
  static std::vector<Algorithm> Those(KeyUse use) {
    std::vector<Algorithm> found;
    for (const AlgorithmRow& row : kAlgorithmRows) {
      // Larger ones of RSA differ by the time that they take.
      if (row.use == use && (row.kind != KeyKind::kRsa || row.bits == 2048)) {
        found.push_back(row.algorithm);
      }
    }
    return found;
  }
};

#define CLAVIGER_CONTRACT(Suite)                      \
  INSTANTIATE_TEST_SUITE_P(                           \
      Tokens, Suite, testing::ValuesIn(TokenKinds()), \
      [](const auto& each) { return std::string(each.param.name); })

}  // namespace hsm::token

#endif  // TESTS_HSM_CONTRACT_FIXTURE_H_
