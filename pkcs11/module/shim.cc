// SPDX-License-Identifier: Apache-2.0
// The C functions of Cryptoki and the lists of them, made from the table of
// functions.h. Nothing that is thrown gets past here.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exception>
#include <new>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "pkcs11/cancellation.h"
#include "pkcs11/fork_gate.h"
#include "pkcs11/module/functions.h"
#include "pkcs11/module/lifecycle.h"
#include "pkcs11/module/log.h"

namespace pkcs11::module {
namespace {

// Longer than anything that a caller could mean.
constexpr std::uint64_t kMaxBytes = 1U << 30;
constexpr std::uint64_t kMaxAttributes = 1U << 12;

// An argument, to be looked at by the rules.
template <typename T>
std::uint64_t Word(T argument) {
  if constexpr (std::is_pointer_v<T>) {
    return argument == nullptr ? 0 : 1;
  } else {
    return argument;
  }
}

bool Obeys(const Rules& rules, std::span<const std::uint64_t> words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::uint32_t bit = 1U << i;
    const bool null = words[i] == 0;
    if ((rules.needed & bit) != 0 && null) {
      return false;
    }
    if (((rules.buffers | rules.templates) & bit) != 0) {
      const std::uint64_t most =
          (rules.templates & bit) != 0 ? kMaxAttributes : kMaxBytes;
      if (words[i + 1] > most || (null && words[i + 1] != 0)) {
        return false;
      }
    }
  }
  return true;
}

// Calls that an operator need not look at.
void Trace(const char* name, CK_RV rv) {
  if (IsLogged(LogLevel::kDebug)) {
    LogLine(LogLevel::kDebug, fmt::format("{}: {}", name, RvName(rv)));
  }
}

CK_RV Finish(const char* name, const Status& status) {
  if (status.has_value()) {
    Trace(name, CKR_OK);
    return CKR_OK;
  }
  const Failure& failure = status.error();
  if (failure.message.empty()) {
    Trace(name, failure.rv);
  } else {
    LogLine(
        fmt::format("{}: {}: {}", name, RvName(failure.rv), failure.message));
  }
  return failure.rv;
}

// None is expected here.
CK_RV Surprise(const char* name, const char* exception) noexcept {
  try {
    LogLine(fmt::format("{}: CKR_GENERAL_ERROR: {}", name, exception));
  } catch (...) {  // No memory for the line.
  }
  return CKR_GENERAL_ERROR;
}

template <typename Call>
CK_RV Guarded(const char* name, const Call& call) noexcept {
  const WithoutCancellation uncancelled;
  try {
    return Finish(name, call());
  } catch (const std::bad_alloc&) {
    return CKR_HOST_MEMORY;
  } catch (const std::exception& error) {
    return Surprise(name, error.what());
  } catch (...) {
    return Surprise(name, "unknown");
  }
}

template <typename CFunction>
struct Shim;

template <typename... Args>
struct Shim<CK_RV (*)(Args...)> {
  template <unsigned kPosition>
  using Argument = std::tuple_element_t<kPosition, std::tuple<Args...>>;

  static CK_RV Always(const char* name, const Rules& rules,
                      Status (*entry)(Args...), Args... args) noexcept {
    return Guarded(name, [&]() -> Status {
      const std::array<std::uint64_t, sizeof...(Args)> words = {Word(args)...};
      if (!Obeys(rules, words)) {
        return Failure(CKR_ARGUMENTS_BAD);
      }
      return entry(args...);
    });
  }

  static CK_RV Real(const char* name, const Rules& rules,
                    Status (*entry)(Module&, Args...), Args... args) noexcept {
    return Guarded(name, [&]() -> Status {
      const InsideForkGate inside;
      // Kept until the end of the call: another thread may finalize meanwhile.
      const std::shared_ptr<Module> module = CurrentModule();
      if (module == nullptr) {
        return Failure(CKR_CRYPTOKI_NOT_INITIALIZED);
      }
      const std::array<std::uint64_t, sizeof...(Args)> words = {Word(args)...};
      if constexpr (sizeof...(Args) > 1) {  // The second is the mechanism.
        if (rules.cancels != 0 && words[1] == 0) {
          return SessionCancel(*module, words[0], rules.cancels);
        }
      }
      if (!Obeys(rules, words)) {
        static_cast<void>(SessionCancel(*module, words[0], rules.ends));
        return Failure(CKR_ARGUMENTS_BAD);
      }
      return entry(*module, args...);
    });
  }
};

}  // namespace

// Functions with C linkage are the same in every namespace.
// clang-format off
#define TYPE(name, at) [[maybe_unused]] Shim<CK_C_##name>::Argument<at> a##at
#define TYPES_1(name) TYPE(name, 0)
#define TYPES_2(name) TYPES_1(name), TYPE(name, 1)
#define TYPES_3(name) TYPES_2(name), TYPE(name, 2)
#define TYPES_4(name) TYPES_3(name), TYPE(name, 3)
#define TYPES_5(name) TYPES_4(name), TYPE(name, 4)
#define TYPES_6(name) TYPES_5(name), TYPE(name, 5)
#define TYPES_7(name) TYPES_6(name), TYPE(name, 6)
#define TYPES_8(name) TYPES_7(name), TYPE(name, 7)
#define TYPES_9(name) TYPES_8(name), TYPE(name, 8)
#define NAMES_1 a0
#define NAMES_2 NAMES_1, a1
#define NAMES_3 NAMES_2, a2
#define NAMES_4 NAMES_3, a3
#define NAMES_5 NAMES_4, a4
#define NAMES_6 NAMES_5, a5
#define NAMES_7 NAMES_6, a6
#define NAMES_8 NAMES_7, a7

#define DEFINE_ALWAYS(name, arguments, rules)                               \
  CK_RV C_##name(TYPES_##arguments(name)) {                                 \
    return Shim<CK_C_##name>::Always("C_" #name, rules, name,               \
                                     NAMES_##arguments);                    \
  }
#define DEFINE_REAL(name, arguments, rules)                                 \
  CK_RV C_##name(TYPES_##arguments(name)) {                                 \
    return Shim<CK_C_##name>::Real("C_" #name, rules, name,                 \
                                   NAMES_##arguments);                      \
  }
#define DEFINE_ABSENT(name, arguments)                                      \
  CK_RV C_##name(TYPES_##arguments(name)) { return CKR_FUNCTION_NOT_SUPPORTED; }

#pragma GCC visibility push(default)
extern "C" {
PKCS11_FUNCTIONS_2_40(DEFINE_ALWAYS, DEFINE_REAL, DEFINE_ABSENT)
PKCS11_FUNCTIONS_3_0(DEFINE_ALWAYS, DEFINE_REAL, DEFINE_ABSENT)
}
#pragma GCC visibility pop
// clang-format on

namespace {

#define NAME(name, ...) C_##name,
// Not const, for Cryptoki hands out pointers to non-const.
CK_FUNCTION_LIST functions_2_40 = {{2, 40},
                                   PKCS11_FUNCTIONS_2_40(NAME, NAME, NAME)};
CK_FUNCTION_LIST_3_0 functions_3_0 = {
    {3, 0},
    PKCS11_FUNCTIONS_2_40(NAME, NAME, NAME)
        PKCS11_FUNCTIONS_3_0(NAME, NAME, NAME)};
#undef NAME

constexpr std::string_view kInterfaceName = "PKCS 11";
CK_UTF8CHAR interface_name[] = "PKCS 11";

// The default first. Fork-safe: see lifecycle.h.
std::array<CK_INTERFACE, 2> interfaces = {{
    {interface_name, &functions_3_0, CKF_INTERFACE_FORK_SAFE},
    {interface_name, &functions_2_40, CKF_INTERFACE_FORK_SAFE},
}};

// Every function list begins with its version.
bool Has(const CK_INTERFACE& interface, const CK_VERSION& version) {
  const auto* const own =
      static_cast<const CK_VERSION*>(interface.pFunctionList);
  return own->major == version.major && own->minor == version.minor;
}

}  // namespace

Status GetFunctionList(CK_FUNCTION_LIST** list) {
  *list = &functions_2_40;
  return {};
}

Status GetInterfaceList(CK_INTERFACE* list, CK_ULONG* count) {
  const CK_ULONG room = *count;
  *count = interfaces.size();
  if (list == nullptr) {
    return {};
  }
  if (room < interfaces.size()) {
    return Failure(CKR_BUFFER_TOO_SMALL);
  }
  std::ranges::copy(interfaces, list);
  return {};
}

Status GetInterface(CK_UTF8CHAR* name, CK_VERSION* version,
                    CK_INTERFACE** interface, CK_FLAGS flags) {
  if (name != nullptr &&
      reinterpret_cast<const char*>(name) != kInterfaceName) {
    return Failure(CKR_ARGUMENTS_BAD);
  }
  for (CK_INTERFACE& candidate : interfaces) {
    if ((version == nullptr || Has(candidate, *version)) &&
        (candidate.flags & flags) == flags) {
      *interface = &candidate;
      return {};
    }
  }
  return Failure(CKR_ARGUMENTS_BAD);
}

}  // namespace pkcs11::module
