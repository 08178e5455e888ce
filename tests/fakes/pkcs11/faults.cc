// SPDX-License-Identifier: Apache-2.0
#include "tests/fakes/pkcs11/faults.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace fakes::pkcs11 {
namespace {

std::vector<std::string> Lines() {
  std::vector<std::string> lines;
  const char* path = std::getenv("FAKE_PKCS11_CONTROL");
  if (path == nullptr) {
    return lines;
  }
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    lines.push_back(line);
  }
  return lines;
}

void Strike(std::vector<std::string> lines, const std::string& line) {
  lines.erase(std::ranges::find(lines, line));
  std::ofstream file(std::getenv("FAKE_PKCS11_CONTROL"), std::ios::trunc);
  for (const std::string& each : lines) {
    file << each << '\n';
  }
}

// Whether somebody, we perhaps, holds the lock file in $FAKE_PKCS11_LOCK_DIR.
// flock conflicts between any two openings of a file.
bool IsLocked() {
  for (const auto& entry : std::filesystem::directory_iterator(
           std::getenv("FAKE_PKCS11_LOCK_DIR"))) {
    if (entry.path().extension() == ".lock") {
      const int fd = open(entry.path().c_str(), O_RDWR | O_CLOEXEC);
      const bool locked = flock(fd, LOCK_EX | LOCK_NB) != 0;
      close(fd);
      return locked;
    }
  }
  return false;
}

void Note(std::string_view function) {
  if (const char* path = std::getenv("FAKE_PKCS11_CALLS"); path != nullptr) {
    std::ofstream(path, std::ios::app)
        << function << (IsLocked() ? " locked\n" : "\n");
  }
}

}  // namespace

CK_RV Enter(std::string_view function) {
  Note(function);
  const std::vector<std::string> lines = Lines();
  for (const std::string& line : lines) {
    std::istringstream words(line);
    std::string who;
    std::string what;
    std::string rv;
    words >> who >> what >> rv;
    if (who != function) {
      continue;
    }
    if (what == "hang") {
      while (true) {
        pause();
      }
    }
    if (what == "crash") {
      std::abort();
    }
    if (what == "return-once") {
      Strike(lines, line);
    }
    if (what.starts_with("return")) {
      return std::stoul(rv, nullptr, 0);
    }
  }
  return CKR_OK;
}

bool Told(std::string_view line) {
  const std::vector<std::string> lines = Lines();
  return std::ranges::find(lines, line) != lines.end();
}

bool IsFull(std::size_t objects) {
  return std::ranges::any_of(Lines(), [&](const std::string& line) {
    return line.starts_with("full ") && objects >= std::stoul(line.substr(5));
  });
}

bool Lies(std::string_view function) {
  const std::string lie = std::string(function) + " lie";
  const std::string once = lie + "-once";
  if (Told(once)) {
    Strike(Lines(), once);
    return true;
  }
  return Told(lie);
}

}  // namespace fakes::pkcs11
