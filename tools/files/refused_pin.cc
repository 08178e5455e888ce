// SPDX-License-Identifier: Apache-2.0
#include "tools/files/refused_pin.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string_view>

#include "base/log.h"
#include "tools/files/files.h"

namespace tools {
namespace {

constexpr std::string_view kEnding = ".pin-refused";
constexpr std::size_t kMostBytes = 16 * 1024;

std::string FolderIn(const char* variable) {
  const char* const folder = getenv(variable);
  return folder == nullptr || *folder == '\0' ? "" : std::string(folder) + "/";
}

std::string FileOf(const RefusedPin::Token& token) {
  const std::string folder = FolderIn("STATE_DIRECTORY");
  std::string file = folder.empty() ? token.socket : folder + token.name;
  return file.append(kEnding);
}

// Empty if there is no such file.
std::string VersionOf(const std::string& pin_file) {
  const std::string credentials = FolderIn("CREDENTIALS_DIRECTORY");
  struct stat found {};
  if (stat(pin_file.c_str(), &found) != 0) {
    return "";
  }
  if (!credentials.empty() && pin_file.starts_with(credentials)) {
    return "a credential";
  }
  return fmt::format("inode {} of {}, {} bytes, {}.{:09}", found.st_ino,
                     found.st_dev, found.st_size, found.st_mtim.tv_sec,
                     found.st_mtim.tv_nsec);
}

}  // namespace

RefusedPin::RefusedPin(const Token& token)
    : file_(FileOf(token)),
      token_(fmt::format("module {}\ntoken {}\n", token.module, token.uri)),
      pin_file_(token.pin_file) {}

std::string RefusedPin::Describe() const {
  return fmt::format("This token has refused its PIN.\n{}PIN file {}\n{}\n",
                     token_, pin_file_, VersionOf(pin_file_));
}

base::Status RefusedPin::Check() {
  checked_ = Describe();
  const auto refused = ReadPublicFile(file_, kMostBytes);
  if (!refused || *refused != checked_) {
    return {};
  }
  return base::Error{
      base::ErrorCode::kAccessDenied,
      fmt::format("the token has refused the PIN in {}, and is not asked "
                  "again: a few wrong PINs lock it. Correct the file, or the "
                  "token's PIN; then remove {} and start again",
                  pin_file_, file_)};
}

void RefusedPin::Note() const {
  const base::Status noted = WriteFile(file_, checked_, 0600);
  if (!noted) {
    base::LogWarning(
        "that the token has refused the PIN will be forgotten with the next "
        "start: {}",
        noted.error().message);
  }
}

void RefusedPin::Forget() const { unlink(file_.c_str()); }

}  // namespace tools
