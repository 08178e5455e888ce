// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_QUIRKS_H_
#define HSM_TOKEN_QUIRKS_H_

#include <string>
#include <string_view>

#include "base/result.h"
#include "hsm/token/cryptoki.h"

namespace hsm::token {

// What must be known of a kind of token and cannot be found out by trying.
// Everything else is the probe's business (probe.h).
struct Quirks {
  std::string_view name;          // For TokenConfig::quirks.
  std::string_view manufacturer;  // Of CK_INFO; "" matches any.

  // Objects are files below a directory of SoftHSM's: lock it, keep a copy of
  // token.object, sync after creation.
  bool files_like_softhsm;
};

// The row called `name`; if it is empty, the row that suits the module at
// `module_path`. Fails with kInvalidArgument on an unknown name, listing all.
base::Result<const Quirks*> FindQuirks(std::string_view name,
                                       const std::string& module_path);

// Fails with kInvalidArgument if the initialised module calls itself one whose
// files need care that `quirks` do not give.
base::Status CheckQuirks(const Quirks& quirks, std::string_view manufacturer);

// Whether a token means "the data is wrong" (the tag, above all) when
// C_Decrypt of CKM_AES_GCM returns `rv`. Some codes also mean a dead token: the
// caller asks the token whether it lives.
bool RejectsCiphertext(CK_RV rv);

// Whether a token means "what is wrapped is wrong" when C_UnwrapKey returns
// `rv`; and that it cannot be what the template says.
bool RejectsWrapped(CK_RV rv);

// Whether C_GenerateKey may succeed at a second try: SoftHSM's answers when a
// reader comes between.
bool WorthRetrying(CK_RV rv);

}  // namespace hsm::token

#endif  // HSM_TOKEN_QUIRKS_H_
