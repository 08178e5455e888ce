// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_FORM_H_
#define KMS_FORM_H_

#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "base/wiping.h"

namespace kms {

// The parameters of a form, by name. Values may be secrets: all of it is
// overwritten when released.
using Form =
    std::map<base::WipingString, base::WipingString, std::less<>,
             base::WipingAllocator<
                 std::pair<const base::WipingString, base::WipingString>>>;

// Parses application/x-www-form-urlencoded: name=value, joined by '&', with '+'
// for a space and %XX for a byte; "" is a form without parameters. Stricter
// than browsers: what has no name or no '=', a broken escape, text that is not
// UTF-8 and a name that comes twice (two readers could disagree on its value)
// are refused, and so are more than 2000 parameters. Fails with kSerialization
// and the number of the parameter; no text repeats what was sent.
base::Result<Form> ParseForm(std::string_view body);

// The value of the parameter `name`, if there is one. Borrows from `form`.
std::optional<std::string_view> ParameterOf(const Form& form,
                                            std::string_view name);

}  // namespace kms

#endif  // KMS_FORM_H_
