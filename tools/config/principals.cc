// SPDX-License-Identifier: Apache-2.0
#include "tools/config/principals.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/hash.h"
#include "kms/identity/principals.h"

namespace tools::config {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

// One uid has one spelling, so that two rows are never of one uid.
std::optional<std::uint32_t> ParseUid(std::string_view text) {
  std::uint32_t uid = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, uid);
  const bool good = error == std::errc() && stop == end && uid <= kLargestUid &&
                    text == std::to_string(uid);
  return good ? std::optional(uid) : std::nullopt;
}

// 64 hexadecimal digits, or the same in pairs with colons between them.
std::optional<base::Digest> ParseFingerprint(std::string_view text) {
  base::Digest digest{};
  constexpr std::size_t kWithColons = 3 * digest.size() - 1;
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool colon_is_due = text.size() == kWithColons && i % 3 == 2;
    if (!colon_is_due) {
      digits.push_back(text[i]);
    } else if (text[i] != ':') {
      return std::nullopt;
    }
  }
  const auto bytes = base::HexDecode(digits);
  if (!bytes || bytes->size() != digest.size()) {
    return std::nullopt;
  }
  std::ranges::copy(*bytes, digest.begin());
  return digest;
}

void CheckArn(TableReader& reader, const std::string& key,
              const std::string& arn) {
  if (!kms::identity::IsUserOrRoleArn(arn)) {
    reader.Refuse(key.c_str(),
                  fmt::format("must be the ARN of a user or role, such as "
                              "arn:aws:iam::123456789012:role/backup, not '{}'",
                              arn));
  }
}

}  // namespace

Status ReadPeerPrincipals(TableReader& reader, Config& config) {
  reader.EachText([&](const std::string& key, const std::string& arn) {
    const std::optional<std::uint32_t> uid = ParseUid(key);
    if (!uid) {
      return reader.Refuse(key.c_str(),
                           fmt::format("is not a uid: a whole number up to {}, "
                                       "without zeros before it",
                                       kLargestUid));
    }
    if (*uid == 0) {
      return reader.Refuse(key.c_str(),
                           "is root, who is the administrator on the Unix "
                           "socket in any case; remove the row");
    }
    CheckArn(reader, key, arn);
    config.peer_principals.emplace(*uid, arn);
  });
  return reader.Finish();
}

Status ReadCertificatePrincipals(TableReader& reader, Config& config) {
  reader.EachText([&](const std::string& key, const std::string& arn) {
    const std::optional<base::Digest> fingerprint = ParseFingerprint(key);
    if (!fingerprint) {
      return reader.Refuse(
          key.c_str(),
          "is not the SHA-256 fingerprint of a certificate: 64 hexadecimal "
          "digits, perhaps in pairs with colons between them");
    }
    CheckArn(reader, key, arn);
    if (!config.certificate_principals.emplace(*fingerprint, arn).second) {
      reader.Refuse(key.c_str(),
                    "stands there twice, spelled differently; remove one row");
    }
  });
  return reader.Finish();
}

Status CheckPeerPrincipals(const std::string& file, const Config& config) {
  for (const ServicePrincipal& service : config.service_principals) {
    if (service.unix_uid &&
        config.peer_principals.contains(*service.unix_uid)) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("{}: uid {} stands in [peer_principals] and in "
                               "the [[service_principal]] table of {}; it can "
                               "be one of them only",
                               file, *service.unix_uid, service.service)};
    }
  }
  return {};
}

}  // namespace tools::config
