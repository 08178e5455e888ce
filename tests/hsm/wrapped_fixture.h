// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_HSM_WRAPPED_FIXTURE_H_
#define TESTS_HSM_WRAPPED_FIXTURE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/hsm/pair_fixture.h"

namespace hsm::token {

// A SoftHSM token with a wrapping key, and keys that it has wrapped.
class WrappedTest : public PairTest {
 protected:
  void SetUp() override {
    PairTest::SetUp();
    wrapping_ = Made(Algorithm::kAesWrap);
  }

  // A new key, wrapped.
  KeyRef Wrapped(Algorithm algorithm) {
    const KeyRef key = NewKey(algorithm);
    const auto made =
        token_->Execute(GenerateWrappedKeyRequest{key, wrapping_.locator});
    EXPECT_TRUE(made.has_value()) << made.error().message;
    return AsWrapped(key, wrapping_.locator,
                     made.value_or(GenerateWrappedKeyReply()));
  }

  // `key` with something else than its row says.
  template <typename Change>
  static KeyRef Changed(const KeyRef& key, Change change) {
    WrappedKey wrapped = *key.wrapped;
    change(wrapped);
    KeyRef changed = key;
    changed.wrapped = std::make_shared<const WrappedKey>(std::move(wrapped));
    base::RandomBytes(changed.locator.bytes);  // Not one that is unwrapped.
    return changed;
  }

  base::Result<SignReply> Signed(const KeyRef& key, SignatureScheme scheme) {
    return token_->Execute(ToSign(key, scheme, Hash::kSha256, "message"));
  }

  std::vector<std::string> IdsOnToken() {
    const auto listed = token_->Execute(ListKeysRequest{});
    std::vector<std::string> ids;
    for (const ListedKey& key : listed.value_or(ListKeysReply()).keys) {
      ids.push_back(base::HexEncode(key.id));
    }
    return ids;
  }

  KeyRef wrapping_;
};

}  // namespace hsm::token

#endif  // TESTS_HSM_WRAPPED_FIXTURE_H_
