// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_QUIRKS_FILES_H_
#define HSM_TOKEN_QUIRKS_FILES_H_

#include <span>
#include <string_view>

namespace hsm::token {

// A file of hsm/profiles, as it was when this program was built. Its workers
// run as another user and in other folders than who built it.
struct QuirksFile {
  std::string_view name;  // Without folder and ending.
  std::string_view text;
};

// Sorted by name. CMakeLists.txt of this folder generates what it returns.
std::span<const QuirksFile> QuirksFiles();

}  // namespace hsm::token

#endif  // HSM_TOKEN_QUIRKS_FILES_H_
