// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_KEY_FILTER_H_
#define PKCS11_MODULE_KEY_FILTER_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pkcs11/module/token_options.h"

// Which of the KMS's keys a token shows: the questions of a KeyFilter, one by
// one, so that who lists keys asks the KMS no more than they need.
namespace pkcs11::module {

// The alias (without "alias/") that a key which has `aliases` is called by: the
// first in the order of the alphabet that the filter lets through. Nothing if
// the filter wants one and none fits, so that the key may not be shown; the
// empty text if the key has no alias and needs none.
std::optional<std::string> ChooseAlias(const KeyFilter& filter,
                                       const std::vector<std::string>& aliases);

// Whether a key with these tags may be shown.
bool HasWantedTag(const KeyFilter& filter,
                  const std::map<std::string, std::string>& tags);

// Whether a key in this state ("Enabled") may be shown.
bool ShowsState(const TokenOptions& options, std::string_view state);

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_KEY_FILTER_H_
