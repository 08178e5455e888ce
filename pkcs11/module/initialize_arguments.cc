// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/initialize_arguments.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string_view>

namespace pkcs11::module {
namespace {

constexpr std::string_view kConfigPrefix = "config=";
constexpr std::size_t kMaxReservedBytes = 4096;
// No pointer is below: callers pass small numbers to see what happens.
constexpr std::uintptr_t kLowestPointer = 64U << 10;

Answer<std::string> ReadReserved(const void* reserved) {
  if (reserved == nullptr) {
    return std::string();
  }
  const auto* const text = static_cast<const char*>(reserved);
  if (reinterpret_cast<std::uintptr_t>(reserved) < kLowestPointer ||
      std::strncmp(text, kConfigPrefix.data(), kConfigPrefix.size()) != 0) {
    return Failure(CKR_ARGUMENTS_BAD,
                   "the reserved pointer is not \"config=/path\"");
  }
  const std::string_view path(
      text + kConfigPrefix.size(),
      strnlen(text + kConfigPrefix.size(), kMaxReservedBytes));
  if (path.empty() || path.size() == kMaxReservedBytes) {
    return Failure(CKR_ARGUMENTS_BAD, "the path behind config= is none");
  }
  return std::string(path);
}

}  // namespace

Answer<InitializeArguments> ReadInitializeArguments(const void* raw) {
  if (raw == nullptr) {
    return InitializeArguments{};
  }
  const auto& arguments = *static_cast<const CK_C_INITIALIZE_ARGS*>(raw);
  const std::array given = {
      arguments.CreateMutex != nullptr, arguments.DestroyMutex != nullptr,
      arguments.LockMutex != nullptr, arguments.UnlockMutex != nullptr};
  const auto count = std::count(given.begin(), given.end(), true);
  if (count != 0 && count != std::ssize(given)) {
    return Failure(CKR_ARGUMENTS_BAD, "some mutex functions, but not all four");
  }
  if (count != 0 && (arguments.flags & CKF_OS_LOCKING_OK) == 0) {
    return Failure(CKR_CANT_LOCK, "only the system's mutexes can be used");
  }
  ASSIGN_OR_FAIL(std::string file, ReadReserved(arguments.pReserved));
  return InitializeArguments{std::move(file)};
}

}  // namespace pkcs11::module
