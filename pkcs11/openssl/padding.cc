// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/openssl/padding.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <span>

namespace pkcs11::openssl {
namespace {

struct NamedNumber {
  std::string_view name;
  int number;
};
constexpr std::array kPaddings = {
    NamedNumber{OSSL_PKEY_RSA_PAD_MODE_NONE, RSA_NO_PADDING},
    NamedNumber{OSSL_PKEY_RSA_PAD_MODE_OAEP, RSA_PKCS1_OAEP_PADDING},
    NamedNumber{"oeap", RSA_PKCS1_OAEP_PADDING},  // OpenSSL's own spelling.
    NamedNumber{OSSL_PKEY_RSA_PAD_MODE_PKCSV15, RSA_PKCS1_PADDING},
    NamedNumber{OSSL_PKEY_RSA_PAD_MODE_PSS, RSA_PKCS1_PSS_PADDING},
    NamedNumber{OSSL_PKEY_RSA_PAD_MODE_X931, RSA_X931_PADDING},
};
constexpr std::array kSaltLengths = {
    NamedNumber{OSSL_PKEY_RSA_PSS_SALT_LEN_AUTO, RSA_PSS_SALTLEN_AUTO},
    NamedNumber{OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST, RSA_PSS_SALTLEN_DIGEST},
    NamedNumber{OSSL_PKEY_RSA_PSS_SALT_LEN_MAX, RSA_PSS_SALTLEN_MAX},
};

std::optional<int> NumberIn(std::span<const NamedNumber> table,
                            const std::string& text) {
  const auto row = std::ranges::find(table, text, &NamedNumber::name);
  if (row != table.end()) {
    return row->number;
  }
  int number = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && at == end ? std::optional(number)
                                           : std::nullopt;
}

std::optional<int> Read(std::span<const NamedNumber> table,
                        const OSSL_PARAM& param) {
  if (param.data_type == OSSL_PARAM_UTF8_STRING) {
    return NumberIn(table, ReadText(&param));
  }
  int number = 0;
  return OSSL_PARAM_get_int(&param, &number) == 1 ? std::optional(number)
                                                  : std::nullopt;
}

int Write(std::span<const NamedNumber> table, OSSL_PARAM& param, int number) {
  if (param.data_type != OSSL_PARAM_UTF8_STRING) {
    return OSSL_PARAM_set_int(&param, number);
  }
  const auto row = std::ranges::find(table, number, &NamedNumber::number);
  const std::string text =
      row == table.end() ? std::to_string(number) : std::string(row->name);
  return OSSL_PARAM_set_utf8_string(&param, text.c_str());
}

}  // namespace

std::optional<int> ReadPadding(const OSSL_PARAM& param) {
  return Read(kPaddings, param);
}

int WritePadding(OSSL_PARAM& param, int padding) {
  return Write(kPaddings, param, padding);
}

std::optional<int> ReadSaltLength(const OSSL_PARAM& param) {
  return Read(kSaltLengths, param);
}

int WriteSaltLength(OSSL_PARAM& param, int length) {
  return Write(kSaltLengths, param, length);
}

std::string ReadText(const OSSL_PARAM* param) {
  const char* text = nullptr;
  if (param == nullptr || OSSL_PARAM_get_utf8_string_ptr(param, &text) != 1 ||
      text == nullptr) {
    return {};
  }
  // The size is that of the text, without a zero that may be missing.
  return param->data_type == OSSL_PARAM_UTF8_STRING
             ? std::string(text, strnlen(text, param->data_size))
             : std::string(text);
}

}  // namespace pkcs11::openssl
