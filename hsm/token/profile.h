// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_PROFILE_H_
#define HSM_TOKEN_PROFILE_H_

#include <string>
#include <vector>

#include "hsm/messages.h"
#include "hsm/token/cryptoki.h"

namespace hsm::token {

// Attributes that PKCS#11 2.40 has and some tokens do not take.
struct AttributeSupport {
  bool allowed_mechanisms = true;  // CKA_ALLOWED_MECHANISMS.
  bool copyable = true;            // CKA_COPYABLE and CKA_DESTROYABLE.
};

// What the probe found out about a token by trying (probe.h).
struct Profile {
  Algorithm algorithm = Algorithm::kXaes256Gcm;
  AttributeSupport attributes;
  bool allowed_mechanisms_enforced = false;
  CK_RV bad_tag = CKR_OK;          // What C_Decrypt answers to one.
  CK_MECHANISM_TYPE rfc5649 = 0;   // Its mechanism, or 0.
  bool unwrap_template = false;    // CKA_UNWRAP_TEMPLATE binds.
  std::vector<std::string> notes;  // For the operator.
};

}  // namespace hsm::token

#endif  // HSM_TOKEN_PROFILE_H_
