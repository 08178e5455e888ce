// SPDX-License-Identifier: Apache-2.0
// A token as a client sends it, the claims of one that the provider has signed,
// and a provider's key set: whatever it is, it is taken or refused with the
// error for it.
#include <algorithm>
#include <cstdlib>

#include "base/bytes.h"
#include "kms/identity/web_identity.h"
#include "tests/kms/web_token.h"

namespace {

using base::ErrorCode;
using kms::identity::IdentityProvider;

constexpr base::WallTime kNow{std::chrono::seconds(1'700'000'000)};

void Require(bool ok) {
  if (!ok) {
    std::abort();
  }
}

base::Result<IdentityProvider> ProviderWith(std::string key_set) {
  return IdentityProvider::Parse({.issuer = "https://a",
                                  .audiences = {"x"},
                                  .accounts = {"111122223333"},
                                  .key_set = std::move(key_set)});
}

struct Issuer {
  kms::identity::SigningKey key = kms::identity::SigningKey::Ec("P-256");
  std::vector<IdentityProvider> providers;

  Issuer() {
    providers.push_back(
        ProviderWith(R"({"keys":[{"kid":"k",)" + key.PublicMembers() + "}]}")
            .value());
  }
};

const Issuer& TheIssuer() {
  static const Issuer issuer;
  return issuer;
}

// Whether the token is taken.
bool Check(std::string_view token) {
  const auto& providers = TheIssuer().providers;
  const auto found =
      kms::identity::FindProvider(providers, "111122223333", token);
  const auto identity = providers.front().Verify(token, kNow);
  if (!identity) {
    Require(identity.error().code == ErrorCode::kInvalidIdentityToken ||
            identity.error().code == ErrorCode::kExpiredIdentityToken);
    return false;
  }
  Require(found.has_value() && *found == &providers.front());
  Require(identity->issuer == "https://a" && identity->audience == "x" &&
          !identity->subject.empty() && identity->subject.size() <= 255 &&
          identity->expiration > kNow);
  return true;
}

}  // namespace

// The name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text = base::AsText({bytes, size});
  // Nothing that comes from outside has this key's signature.
  Require(!Check(text));
  Check(TheIssuer().key.Token("ES256", "k", text));
  Check(TheIssuer().key.TokenOf("ES256", text, "{}"));
  const auto provider = ProviderWith(std::string(text));
  Require(provider || provider.error().code == ErrorCode::kInvalidArgument);
  return 0;
}
