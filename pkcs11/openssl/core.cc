// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/openssl/core.h"

#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <cstdarg>

#include "pkcs11/fork_gate.h"

namespace pkcs11::openssl {
namespace {

constexpr OSSL_ITEM Item(Reason reason, const char* text) {
  // OpenSSL's table is older than const.
  return {static_cast<unsigned int>(reason), const_cast<char*>(text)};
}

constexpr std::array kReasons = {
    Item(Reason::kKms, "the KMS did not do it"),
    Item(Reason::kConfiguration, "where the KMS is"),
    Item(Reason::kReference, "the name of a key"),
    Item(Reason::kUsage, "the key is for something else"),
    Item(Reason::kNotByKms, "no KMS does that"),
    Item(Reason::kArguments, "bad arguments"),
    Item(Reason::kOpenssl, "OpenSSL's part failed"),
    OSSL_ITEM{0, nullptr},
};

// More than anybody reads; OpenSSL keeps 1 KiB.
constexpr std::size_t kMaxText = 1000;

// As often as OpenSSL 3.0 goes back to a mark between a decoder's failure and
// the end of what the host has called: twice in its store of files
// (ossl_store_handle_load_result), and not in PEM_read_bio_PrivateKey(), which
// clears as many marks. Any more would stay, and the host's own ERR_pop_to_mark
// would find them instead of the host's.
constexpr int kMarks = 2;

// OpenSSL takes what it formats as a va_list, which only such a function has.
void SetError(  // NOLINT(cert-dcl50-cpp)
    OSSL_FUNC_core_vset_error_fn* set, const OSSL_CORE_HANDLE* handle,
    std::uint32_t reason, const char* format, ...)
    __attribute__((format(printf, 4, 5)));

void SetError(  // NOLINT(cert-dcl50-cpp)
    OSSL_FUNC_core_vset_error_fn* set, const OSSL_CORE_HANDLE* handle,
    std::uint32_t reason, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  set(handle, reason, format, arguments);
  va_end(arguments);
}

template <typename Function>
void Take(const OSSL_DISPATCH& row, Function*& into) {
  into = reinterpret_cast<Function*>(row.function);
}

}  // namespace

const OSSL_ITEM* ReasonTexts() { return kReasons.data(); }

base::Result<Core> Core::Create(const OSSL_CORE_HANDLE* handle,
                                const OSSL_DISPATCH* functions) {
  Core core;
  core.handle_ = handle;
  for (const OSSL_DISPATCH* row = functions; row->function_id != 0; ++row) {
    switch (row->function_id) {
      case OSSL_FUNC_CORE_GET_PARAMS:
        Take(*row, core.get_params_);
        break;
      case OSSL_FUNC_CORE_NEW_ERROR:
        Take(*row, core.new_error_);
        break;
      case OSSL_FUNC_CORE_SET_ERROR_DEBUG:
        Take(*row, core.set_error_debug_);
        break;
      case OSSL_FUNC_CORE_VSET_ERROR:
        Take(*row, core.set_error_);
        break;
      case OSSL_FUNC_CORE_SET_ERROR_MARK:
        Take(*row, core.set_mark_);
        break;
      case OSSL_FUNC_BIO_READ_EX:
        Take(*row, core.read_);
        break;
      case OSSL_FUNC_BIO_GETS:
        Take(*row, core.gets_);
        break;
      default:  // What we do not need.
        break;
    }
  }
  if (core.get_params_ == nullptr || core.new_error_ == nullptr ||
      core.set_error_debug_ == nullptr || core.set_error_ == nullptr ||
      core.set_mark_ == nullptr || core.read_ == nullptr ||
      core.gets_ == nullptr) {
    return base::Error{base::ErrorCode::kInternal,
                       "this OpenSSL has not what a provider needs"};
  }
  return core;
}

std::optional<std::string> Core::Parameter(const char* name) const {
  char* value = nullptr;
  std::array<OSSL_PARAM, 2> wanted = {
      OSSL_PARAM_construct_utf8_ptr(name, &value, 0),
      OSSL_PARAM_construct_end()};
  if (get_params_(handle_, wanted.data()) != 1 || value == nullptr) {
    return std::nullopt;
  }
  return value;
}

int Core::Raise(Reason reason, std::string_view text) const {
  std::string printable(text.substr(0, kMaxText));
  std::ranges::replace_if(
      printable, [](char c) { return (c >= 0 && c < 0x20) || c == 0x7F; }, '?');
  new_error_(handle_);
  // Where it was raised in here says nothing to who reads it.
  set_error_debug_(handle_, "claviger", 0, "");
  SetError(set_error_, handle_, static_cast<std::uint32_t>(reason), "%s",
           printable.c_str());
  return 0;
}

int Core::RaiseToStay(Reason reason, std::string_view text) const {
  Raise(reason, text);
  for (int i = 0; i < kMarks; ++i) {
    set_mark_(handle_);
  }
  return 0;
}

std::size_t Core::Read(OSSL_CORE_BIO* bio, std::span<std::uint8_t> into) const {
  const OutsideForkGate outside;
  std::size_t done = 0;
  std::size_t got = 0;
  while (done < into.size() &&
         read_(bio, &into[done], into.size() - done, &got) == 1 && got > 0) {
    done += got;
  }
  return done;
}

std::string_view Core::ReadLine(OSSL_CORE_BIO* bio,
                                std::span<char> into) const {
  const OutsideForkGate outside;
  const int got = gets_(bio, into.data(), static_cast<int>(into.size()));
  return {into.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
}

int CallBack(OSSL_CALLBACK* callback, const OSSL_PARAM* params,
             void* argument) {
  const OutsideForkGate outside;
  return callback(params, argument);
}

}  // namespace pkcs11::openssl
