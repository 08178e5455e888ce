// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/quirks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "hsm/token/quirks_files.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kGeneric = "generic";

// What the standard has for data that is wrong: PKCS#11 2.40, and 3.0's
// CKR_AEAD_DECRYPT_FAILED.
constexpr std::array kRejections = {
    CKR_DATA_INVALID,           CKR_DATA_LEN_RANGE,
    CKR_ENCRYPTED_DATA_INVALID, CKR_ENCRYPTED_DATA_LEN_RANGE,
    CKR_AEAD_DECRYPT_FAILED,    CKR_SIGNATURE_INVALID,
};

// What cannot be a key, or not one as the template says.
constexpr std::array kWrappedRejections = {
    CKR_WRAPPED_KEY_INVALID, CKR_WRAPPED_KEY_LEN_RANGE, CKR_KEY_SIZE_RANGE,
    CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCONSISTENT};

constexpr std::array kPassing = {CKR_GENERAL_ERROR, CKR_FUNCTION_FAILED,
                                 CKR_TEMPLATE_INCONSISTENT};

bool Contains(std::span<const CK_RV> rvs, CK_RV rv) {
  return std::ranges::find(rvs, rv) != rvs.end();
}

// A test reads them too: what it passes does not fail here.
std::vector<Quirks> ReadAll() {
  std::vector<Quirks> all;
  all.reserve(QuirksFiles().size());
  for (const QuirksFile& file : QuirksFiles()) {
    auto quirks = ParseQuirks(file.name, file.text);
    if (!quirks.has_value()) {
      base::LogError("{}", quirks.error().message);
      std::abort();
    }
    all.push_back(*std::move(quirks));
  }
  return all;
}

const Quirks* Named(std::string_view name) {
  const auto it = std::ranges::find(AllQuirks(), name, &Quirks::name);
  return it == AllQuirks().end() ? nullptr : &*it;
}

// By the name of the file, after symbolic links.
const Quirks* OfModule(const std::string& path) {
  std::error_code error;
  const auto real = std::filesystem::canonical(path, error);
  const std::string file =
      (error ? std::filesystem::path(path) : real).filename().string();
  const auto it = std::ranges::find_if(AllQuirks(), [&](const Quirks& each) {
    return !each.module.empty() && file.find(each.module) != std::string::npos;
  });
  return it == AllQuirks().end() ? Named(kGeneric) : &*it;
}

}  // namespace

std::span<const Quirks> AllQuirks() {
  static const std::vector<Quirks> all = ReadAll();
  return all;
}

base::Result<const Quirks*> FindQuirks(std::string_view name,
                                       const std::string& module_path) {
  const Quirks* const found =
      name.empty() ? OfModule(module_path) : Named(name);
  if (found != nullptr) {
    return found;
  }
  std::string known;
  for (const Quirks& quirks : AllQuirks()) {
    known += fmt::format("{}\"{}\"", known.empty() ? "" : ", ", quirks.name);
  }
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("unknown quirks \"{}\"; known are {}", name, known)};
}

base::Result<const Quirks*> CheckQuirks(const Quirks& quirks, bool named,
                                        std::string_view manufacturer) {
  for (const Quirks& each : AllQuirks()) {
    if (each.manufacturer.empty() ||
        !manufacturer.starts_with(each.manufacturer)) {
      continue;
    }
    if (each.matters_before_initialize() && each.name != quirks.name) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("the module says that it is {}, which needs "
                               "care from the start: set quirks = \"{}\"",
                               manufacturer, each.name)};
    }
    if (!named && quirks.name == kGeneric) {
      return &each;
    }
  }
  return &quirks;
}

base::Status CheckPin(const Quirks& quirks, const base::Secret& pin) {
  const std::string_view text = pin.RevealText();
  constexpr std::size_t kKeyIdDigits = 4;
  switch (quirks.pin) {
    case PinForm::kAny:
      return {};
    case PinForm::kUserAndPassword: {
      const std::size_t colon = text.find(':');
      if (colon != std::string_view::npos && colon > 0 &&
          colon + 1 < text.size()) {
        return {};
      }
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("the PIN file of a token of {} must hold "
                               "user:password",
                               quirks.title)};
    }
    case PinForm::kKeyIdAndPassword:
      if (text.size() > kKeyIdDigits &&
          text.substr(0, kKeyIdDigits)
                  .find_first_not_of("0123456789abcdefABCDEF") ==
              std::string_view::npos) {
        return {};
      }
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("the PIN file of a token of {} must hold the "
                               "authentication key's id, four hexadecimal "
                               "digits, and right after it the password",
                               quirks.title)};
  }
  return Error{ErrorCode::kInternal, "unknown form of PIN"};
}

bool RejectsCiphertext(const Quirks& quirks, CK_RV rv) {
  return Contains(kRejections, rv) || Contains(quirks.bad_data, rv);
}
bool RejectsWrapped(const Quirks& quirks, CK_RV rv) {
  return RejectsCiphertext(quirks, rv) || Contains(kWrappedRejections, rv);
}
bool WorthRetrying(CK_RV rv) { return Contains(kPassing, rv); }

}  // namespace hsm::token
