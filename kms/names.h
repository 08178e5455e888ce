// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_NAMES_H_
#define KMS_NAMES_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>

// Enumerators and their words, in AWS's spelling: one table for both ways.
namespace kms {

template <typename E>
using Names = std::pair<E, std::string_view>;

template <typename E, std::size_t kSize>
std::string_view NameOf(const std::array<Names<E>, kSize>& names, E value) {
  const auto it =
      std::ranges::find(names, value, &std::pair<E, std::string_view>::first);
  if (it == names.end()) {
    std::abort();  // An enumerator without a name: a bug, not an input.
  }
  return it->second;
}

template <typename E, std::size_t kSize>
std::optional<E> ValueOf(const std::array<Names<E>, kSize>& names,
                         std::string_view name) {
  const auto it =
      std::ranges::find(names, name, &std::pair<E, std::string_view>::second);
  return it == names.end() ? std::nullopt : std::optional<E>(it->first);
}

}  // namespace kms

#endif  // KMS_NAMES_H_
