// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_QUIRKS_H_
#define HSM_TOKEN_QUIRKS_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "hsm/token/cryptoki.h"

namespace hsm::token {

// How a profile's facts came about.
enum class Evidence : std::uint8_t { kEveryTestRun, kTokensRun, kManual };

// What stands in the PIN file.
enum class PinForm : std::uint8_t {
  kAny,
  kUserAndPassword,   // "user:password"
  kKeyIdAndPassword,  // Four hexadecimal digits and a password.
};

// What must be known of a kind of token and cannot be found out by trying: a
// file of hsm/profiles, and nothing but such files. Everything else is the
// probe's business (probe.h).
struct Quirks {
  std::string name;   // For TokenConfig::quirks; the file's name.
  std::string title;  // The product.
  Evidence evidence = Evidence::kManual;
  std::vector<std::string> notes;  // What an operator should read.

  // How it is recognised: by a part of the name of the module's file, which is
  // known before C_Initialize, and by the beginning of CK_INFO's
  // manufacturerID. Empty: not so.
  std::string module;
  std::string manufacturer;

  // Objects are files below a directory of SoftHSM's: lock it, keep a copy of
  // token.object, sync after creation.
  bool files_like_softhsm = false;
  // C_Initialize wants TokenConfig::module_parameters, in NSS's longer struct.
  bool needs_parameters = false;
  PinForm pin = PinForm::kAny;
  // Whether token objects take CKA_ALLOWED_MECHANISMS, and CKA_COPYABLE with
  // CKA_DESTROYABLE. The probe makes session objects only.
  bool allowed_mechanisms = true;
  bool copyable = true;
  // Its own words for "the data is wrong", beside the standard's: these, where
  // nobody has found out.
  std::vector<CK_RV> bad_data = {CKR_GENERAL_ERROR, CKR_FUNCTION_FAILED};

  // What must be known before C_Initialize.
  bool matters_before_initialize() const {
    return files_like_softhsm || needs_parameters;
  }
};

// The profile in the text of a file. Fails with kInvalidArgument, naming the
// profile and what is wrong: an unknown key, say.
base::Result<Quirks> ParseQuirks(std::string_view name, std::string_view text);

// All profiles, in the order of their names.
std::span<const Quirks> AllQuirks();

// The profile called `name`; if it is empty, the one that suits the module at
// `module_path`. Fails with kInvalidArgument on an unknown name, listing all.
base::Result<const Quirks*> FindQuirks(std::string_view name,
                                       const std::string& module_path);

// The profile that an initialised module has, which calls its maker
// `manufacturer`: `quirks`, or if that is the generic one and nobody asked for
// it, the one that suits. Fails with kInvalidArgument if the module calls
// itself one of which something must be known before it is initialised.
base::Result<const Quirks*> CheckQuirks(const Quirks& quirks, bool named,
                                        std::string_view manufacturer);

// Fails with kInvalidArgument if this cannot be a PIN of such a token.
base::Status CheckPin(const Quirks& quirks, const base::Secret& pin);

// Whether a token means "the data is wrong" (the tag, above all) when
// C_Decrypt returns `rv`. Some codes also mean a dead token: the caller asks
// the token whether it lives.
bool RejectsCiphertext(const Quirks& quirks, CK_RV rv);

// Whether a token means "what is wrapped is wrong" when C_UnwrapKey returns
// `rv`; and that it cannot be what the template says.
bool RejectsWrapped(const Quirks& quirks, CK_RV rv);

// Whether C_GenerateKey may succeed at a second try: SoftHSM's answers when a
// reader comes between.
bool WorthRetrying(CK_RV rv);

}  // namespace hsm::token

#endif  // HSM_TOKEN_QUIRKS_H_
