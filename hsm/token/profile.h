// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_PROFILE_H_
#define HSM_TOKEN_PROFILE_H_

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hsm/messages.h"
#include "hsm/token/cryptoki.h"
#include "hsm/token/ivs.h"

namespace hsm::token {

// Attributes that PKCS#11 2.40 has and some tokens do not take, and what they
// must say because of the token.
struct AttributeSupport {
  bool allowed_mechanisms = true;  // CKA_ALLOWED_MECHANISMS.
  bool copyable = true;            // CKA_COPYABLE and CKA_DESTROYABLE.
  // Keys of kAes256GcmCounter may be used by CKM_AES_ECB: where the token makes
  // the IVs, AES-GCM gives them no check value.
  bool ecb_for_counted = false;
};

// What was tried, and what came of it: a line of `claviger token probe`.
struct Finding {
  std::string tried;
  std::string outcome;
};

// What the probe found out about a token by trying (probe.h).
struct Profile {
  Algorithm algorithm = Algorithm::kXaes256Gcm;  // The better it can do.
  IvMaker iv_maker = IvMaker::kCaller;
  AttributeSupport attributes;
  CK_RV bad_tag = CKR_OK;         // What C_Decrypt answers to one.
  CK_MECHANISM_TYPE rfc5649 = 0;  // The id of AES key wrap with padding, or 0.
  bool unwrap_template = false;   // CKA_UNWRAP_TEMPLATE binds.
  bool oaep_sha1 = false;         // CKM_RSA_PKCS_OAEP is right with this hash
  bool oaep_sha256 = false;       // for both its parts; with this one.
  // What C_UnwrapKey can take in: a secret by RSAES-OAEP with this hash, PKCS#8
  // of a private key by `rfc5649`.
  bool unwraps_oaep_sha1 = false;
  bool unwraps_oaep_sha256 = false;
  bool unwraps_rsa = false;
  bool unwraps_ec = false;
  // Keys that it cannot make and use.
  std::set<Algorithm> lacks;

  std::vector<Finding> findings;
  std::vector<std::string> notes;  // Those an operator should read.
  // Of the thefts that succeeded, or could not be tried (risks.h); of the
  // latter also why.
  std::vector<std::string> risks;
  std::map<std::string, std::string> untried;
  std::string refusal;  // Why we must not use this token; empty if we may.

  // Whether it has AES-GCM. One that has not serves key pairs and HMAC keys.
  bool encrypts() const {
    return !lacks.contains(Algorithm::kXaes256Gcm) ||
           !lacks.contains(Algorithm::kAes256GcmCounter);
  }
};

// Notes what was tried; and that its outcome is a reason, the first one counts,
// not to use the token.
void AddFinding(Profile& profile, std::string_view tried, std::string outcome);
void Refuse(Profile& profile, std::string_view tried, std::string reason);

// Fails with kUnsupportedOperation if the token lacks such keys.
base::Status CheckHas(const Profile& profile, Algorithm algorithm);

}  // namespace hsm::token

#endif  // HSM_TOKEN_PROFILE_H_
