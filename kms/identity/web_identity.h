// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_IDENTITY_WEB_IDENTITY_H_
#define KMS_IDENTITY_WEB_IDENTITY_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "kms/identity/jwk.h"

// Identities that an OpenID Connect provider vouches for: the tokens of STS'
// AssumeRoleWithWebIdentity.
namespace kms::identity {

// What a token says of its bearer, once it has been verified.
struct WebIdentity {
  std::string issuer;   // "https://token.example.com"
  std::string subject;  // 1 to 255 bytes.
  // Whom it is for, and is accepted: "azp" if the token has one, else the first
  // of its "aud" that is.
  std::string audience;
  std::string authorized_party;  // "azp"; empty if the token has none.
  std::string other_audience;    // Beside an "azp": an accepted one of "aud".
  base::WallTime expiration;
};

// What an operator says of a provider.
struct ProviderSettings {
  std::string issuer;                  // As in the tokens, to the letter.
  std::vector<std::string> audiences;  // Whom its tokens may be for.
  std::vector<std::string> accounts;   // Which trust it: 12 digits each.
  std::string key_set;                 // Its JWK Set (RFC 7517), as text.
};

// Whether `text` can be an issuer: https://HOST, perhaps with a port and a
// path, at most 255 characters, without query and fragment. A slash at the end
// is part of the name.
bool IsIssuer(std::string_view text);

// Whether `text` can be an audience: 1 to 255 characters.
bool IsAudience(std::string_view text);

// An IdentityProvider is an OpenID Connect provider that accounts trust.
// Immutable; safe to use from any thread.
class IdentityProvider {
 public:
  // Fails with kInvalidArgument, saying what to mend, unless the settings are
  // as described above, no list is empty, and ParseKeySet takes the keys.
  static base::Result<IdentityProvider> Parse(ProviderSettings settings);

  const std::string& issuer() const { return issuer_; }
  bool IsTrustedBy(std::string_view account) const;

  // Verifies a signed JWT (RFC 7519) in the compact form. Fails with
  // kExpiredIdentityToken if nothing is wrong with it but its age, and with
  // kInvalidIdentityToken, and AWS's text where it is known, if it has another
  // issuer, no accepted audience, no subject, a signature that none of the
  // provider's keys made, or comes from the future (by more than 5 minutes).
  base::Result<WebIdentity> Verify(std::string_view token,
                                   base::WallTime now) const;

  // The issuer without "https://": "PREFIX:sub", "PREFIX:aud" and "PREFIX:azp"
  // are the condition keys of its tokens. Lives as long as the provider.
  std::string_view ContextPrefix() const;

  // arn:aws:iam::ACCOUNT:oidc-provider/PREFIX, the principal of trust policies.
  std::string ProviderArn(std::string_view account) const;

 private:
  IdentityProvider(ProviderSettings settings, std::vector<VerificationKey> keys)
      : issuer_(std::move(settings.issuer)),
        audiences_(std::move(settings.audiences)),
        accounts_(std::move(settings.accounts)),
        keys_(std::move(keys)) {}

  std::string issuer_;
  std::vector<std::string> audiences_;
  std::vector<std::string> accounts_;
  std::vector<VerificationKey> keys_;
};

// The one of `providers` that `token` claims to be from and `account` trusts;
// whether it is, Verify tells. Fails with kInvalidIdentityToken if there is
// none, or if the token names no issuer.
base::Result<const IdentityProvider*> FindProvider(
    std::span<const IdentityProvider> providers, std::string_view account,
    std::string_view token);

}  // namespace kms::identity

#endif  // KMS_IDENTITY_WEB_IDENTITY_H_
