// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGER_TOKEN_OPTIONS_H_
#define TOOLS_CLAVIGER_TOKEN_OPTIONS_H_

#include "tools/claviger/verb.h"
#include "tools/config/config.h"

// The options by which verbs are told of a token that is there already.
namespace tools::claviger {

inline constexpr const char* kModuleOption = "--module";
inline constexpr const char* kTokenOption = "--token";
inline constexpr const char* kPinFileOption = "--pin-file";
inline constexpr const char* kQuirksOption = "--quirks";
inline constexpr const char* kModuleParametersOption = "--module-parameters";
inline constexpr const char* kAcceptRiskOption = "--accept-risk";

// What they say; of a verb that has them all, but for the PIN file.
inline config::KeyStore TokenOf(const Arguments& arguments) {
  config::KeyStore store;
  store.module = arguments.Text(kModuleOption).value_or("");
  store.token = arguments.Text(kTokenOption).value_or("");
  store.quirks = arguments.Text(kQuirksOption).value_or("");
  store.module_parameters =
      arguments.Text(kModuleParametersOption).value_or("");
  store.accept_risks = arguments.List(kAcceptRiskOption);
  return store;
}

}  // namespace tools::claviger

#endif  // TOOLS_CLAVIGER_TOKEN_OPTIONS_H_
