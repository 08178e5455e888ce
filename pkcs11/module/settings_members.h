// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_SETTINGS_MEMBERS_H_
#define PKCS11_MODULE_SETTINGS_MEMBERS_H_

#include <span>

#include "pkcs11/module/settings.h"
#include "pkcs11/module/toml.h"

// Between configuration_file.cc and settings_members.cc; nobody else includes
// this.
namespace pkcs11::module {

// A member of a table in the file, which is read into an `Into`.
template <typename Into>
struct Member {
  MemberDescription description;
  // Whether `value` is what it must be, and then is in `into`.
  bool (*read)(const toml::node& value, Into& into);
};

std::span<const Member<Settings>> TopMembers();
std::span<const Member<TokenSettings>> TokenMembers();
std::span<const Member<KeyFilter>> FilterMembers();
inline constexpr std::string_view kFilter = "filter";

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_SETTINGS_MEMBERS_H_
