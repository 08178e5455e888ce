// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_HSM_IMPORT_FIXTURE_H_
#define TESTS_HSM_IMPORT_FIXTURE_H_

#include "tests/hsm/pair_fixture.h"
#include "tests/hsm/wrapped_material.h"

// A SoftHSM token with a wrapping pair.
namespace hsm::token {

class ImportTest : public PairTest {
 protected:
  void SetUp() override {
    PairTest::SetUp();
    MakeWrappingPair();
  }

  // Under which material comes in.
  virtual void MakeWrappingPair() {
    wrapping_ = MadeOf(Algorithm::kRsa2048Unwrap);
  }

  ImportKeyRequest ToImport(Algorithm algorithm, WrappingAlgorithm wrapping,
                            base::ByteView material) const {
    return {.key = NewKey(algorithm),
            .wrapping_key = wrapping_.key,
            .wrapping = wrapping,
            .wrapped = Wrapped(wrapping_.public_key, wrapping, material),
            .strict = false};
  }

  std::size_t Objects() {
    const auto listed = token_->Execute(ListKeysRequest{});
    EXPECT_TRUE(listed.has_value());
    return listed.has_value() ? listed->keys.size() : 0;
  }

  MadePair wrapping_;
};

}  // namespace hsm::token

#endif  // TESTS_HSM_IMPORT_FIXTURE_H_
