// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/softhsm.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kSystemConfiguration = "/etc/softhsm/softhsm2.conf";

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// SoftHSM's own order (Configuration.cpp, getConfigPath).
std::string ConfigurationPath() {
  if (const char* path = std::getenv("SOFTHSM2_CONF"); path != nullptr) {
    return path;
  }
  if (const char* home = std::getenv("HOME"); home != nullptr) {
    std::string path = fmt::format("{}/.config/softhsm2/softhsm2.conf", home);
    std::error_code error;
    if (std::filesystem::exists(path, error)) {
      return path;
    }
  }
  return std::string(kSystemConfiguration);
}

}  // namespace

base::Result<std::string> TokenDirectoryIn(std::string_view configuration) {
  while (!configuration.empty()) {
    const auto end = configuration.find('\n');
    std::string_view line = configuration.substr(0, end);
    configuration.remove_prefix(
        end == std::string_view::npos ? configuration.size() : end + 1);
    line = line.substr(0, line.find('#'));
    const auto equals = line.find('=');
    if (equals != std::string_view::npos &&
        Trim(line.substr(0, equals)) == "directories.tokendir") {
      return std::string(Trim(line.substr(equals + 1)));
    }
  }
  return Error{ErrorCode::kNotFound, "no directories.tokendir"};
}

base::Result<std::string> SoftHsmTokenDirectory() {
  const std::string path = ConfigurationPath();
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("cannot read SoftHSM's configuration {}; set "
                             "SOFTHSM2_CONF to a readable softhsm2.conf",
                             path)};
  }
  const std::string text(std::istreambuf_iterator<char>(file), {});
  auto directory = TokenDirectoryIn(text);
  if (!directory.has_value() || directory->empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{} does not set directories.tokendir", path)};
  }
  return directory;
}

}  // namespace hsm::token
