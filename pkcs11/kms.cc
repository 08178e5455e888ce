// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/kms.h"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace pkcs11 {
namespace {

base::Error NoMember(std::string_view name) {
  return {base::ErrorCode::kCorrupt,
          "the server's reply has no member " + std::string(name)};
}

}  // namespace

base::Status Kms::LogIn(base::SigV4Credentials) {
  return base::Error{base::ErrorCode::kUnsupportedOperation,
                     "nobody can log in to this token"};
}

base::Status Kms::CheckLogin(base::SigV4Credentials) {
  return base::Error{base::ErrorCode::kUnsupportedOperation,
                     "nobody can log in to this token"};
}

std::shared_ptr<void> Kms::LogOut(const module::StateLock&) { return nullptr; }

std::optional<std::string_view> TextMember(const base::Json& object,
                                           std::string_view name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) {
    return std::nullopt;
  }
  return base::TextOf(*found);
}

base::Result<base::Bytes> BytesMember(const base::Json& object,
                                      std::string_view name) {
  const std::optional<std::string_view> text = TextMember(object, name);
  if (text.has_value()) {
    base::Result<base::Bytes> bytes = base::Base64Decode(*text);
    if (bytes.has_value()) {
      return bytes;
    }
  }
  return NoMember(name);
}

base::Result<base::WipingBytes> SecretMember(const base::Json& object,
                                             std::string_view name) {
  const std::optional<std::string_view> text = TextMember(object, name);
  if (text.has_value()) {
    const base::Result<base::Secret> secret = base::Base64DecodeSecret(*text);
    if (secret.has_value()) {
      const base::ByteView bytes = secret->Reveal();
      return base::WipingBytes(bytes.begin(), bytes.end());
    }
  }
  return NoMember(name);
}

base::Json Base64Json(base::ByteView bytes) {
  base::WipingString text;
  base::Base64Append(bytes, text);
  return base::Json(std::move(text));
}

}  // namespace pkcs11
