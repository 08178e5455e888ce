// SPDX-License-Identifier: Apache-2.0
// The part of fmt that is no template, compiled into the module: its host may
// have loaded another version of the library, and the module must load where
// there is none.
#include <fmt/format-inl.h>

// Its headers declare these as being in the library.
template char fmt::detail::decimal_point_impl<char>(fmt::detail::locale_ref);
template fmt::detail::thousands_sep_result<char>
    fmt::detail::thousands_sep_impl<char>(fmt::detail::locale_ref);
