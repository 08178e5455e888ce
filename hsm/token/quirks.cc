// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/quirks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "hsm/token/softhsm.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::array kQuirks = {
    Quirks{.name = "generic", .manufacturer = "", .files_like_softhsm = false},
    Quirks{.name = "softhsm",
           .manufacturer = "SoftHSM",
           .files_like_softhsm = true},
};

// SoftHSM 2.6 says CKR_GENERAL_ERROR, nShield CKR_FUNCTION_FAILED, NSS and the
// standard CKR_ENCRYPTED_DATA_INVALID, PKCS#11 3.0 CKR_AEAD_DECRYPT_FAILED.
constexpr std::array kRejections = {
    CKR_GENERAL_ERROR,          CKR_FUNCTION_FAILED,
    CKR_DATA_INVALID,           CKR_DATA_LEN_RANGE,
    CKR_ENCRYPTED_DATA_INVALID, CKR_ENCRYPTED_DATA_LEN_RANGE,
    CKR_AEAD_DECRYPT_FAILED,    CKR_SIGNATURE_INVALID,
};

// SoftHSM says CKR_GENERAL_ERROR to a wrong padding or check value, and
// CKR_FUNCTION_FAILED to what is no PKCS#8 of that type.
constexpr std::array kWrappedRejections = {
    CKR_WRAPPED_KEY_INVALID, CKR_WRAPPED_KEY_LEN_RANGE, CKR_KEY_SIZE_RANGE,
    CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCONSISTENT};

constexpr std::array kPassing = {CKR_GENERAL_ERROR, CKR_FUNCTION_FAILED,
                                 CKR_TEMPLATE_INCONSISTENT};

bool Contains(std::span<const CK_RV> rvs, CK_RV rv) {
  return std::ranges::find(rvs, rv) != rvs.end();
}

}  // namespace

base::Result<const Quirks*> FindQuirks(std::string_view name,
                                       const std::string& module_path) {
  if (name.empty()) {
    name = IsSoftHsmModule(module_path) ? "softhsm" : "generic";
  }
  const auto* it = std::ranges::find(kQuirks, name, &Quirks::name);
  if (it == kQuirks.end()) {
    std::string known;
    for (const Quirks& quirks : kQuirks) {
      known += fmt::format("{}\"{}\"", known.empty() ? "" : ", ", quirks.name);
    }
    return Error{
        ErrorCode::kInvalidArgument,
        fmt::format("unknown quirks \"{}\"; known are {}", name, known)};
  }
  return it;
}

base::Status CheckQuirks(const Quirks& quirks, std::string_view manufacturer) {
  for (const Quirks& row : kQuirks) {
    if (row.files_like_softhsm && !quirks.files_like_softhsm &&
        manufacturer.starts_with(row.manufacturer)) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("the module says that it is {}, whose files "
                               "need care: set quirks = \"{}\"",
                               manufacturer, row.name)};
    }
  }
  return {};
}

bool RejectsCiphertext(CK_RV rv) { return Contains(kRejections, rv); }
bool RejectsWrapped(CK_RV rv) {
  return RejectsCiphertext(rv) || Contains(kWrappedRejections, rv);
}
bool WorthRetrying(CK_RV rv) { return Contains(kPassing, rv); }

}  // namespace hsm::token
