// SPDX-License-Identifier: Apache-2.0
#include "tools/config/config.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>
#include <set>
#include <system_error>
#include <utility>

#include "base/region.h"
#include "kms/identity/web_identity.h"
#include "tools/config/key_store.h"
#include "tools/config/key_stores.h"
#include "tools/config/organization.h"
#include "tools/config/principals.h"
#include "tools/config/table_reader.h"
#include "tools/config/xks_client.h"
#include "tools/config/xks_proxy.h"

namespace tools::config {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

// AWS IAM API Reference, AccessKey: 16 to 128 word characters.
bool IsAccessKeyId(std::string_view text) {
  return text.size() >= 16 && text.size() <= 128 &&
         text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") ==
             std::string_view::npos;
}

Status ReadServicePrincipal(TableReader& reader, Config& config) {
  ServicePrincipal principal;
  std::int64_t uid = -1;
  reader.Text("service", principal.service, true)
      .Integer("unix_uid", uid, 1, kLargestUid)
      .Text("access_key_id", principal.access_key_id)
      .Text("secret_file", principal.secret_file);
  RETURN_IF_ERROR(reader.Finish());
  if (uid >= 0) {
    principal.unix_uid = static_cast<std::uint32_t>(uid);
  }
  const bool has_key = !principal.access_key_id.empty();
  if (!IsServicePrincipal(principal.service)) {
    reader.Refuse("service",
                  fmt::format("'{}' is not the name of a service, such as "
                              "s3.amazonaws.com",
                              principal.service));
  } else if (has_key && !IsAccessKeyId(principal.access_key_id)) {
    reader.Refuse("access_key_id", "must be 16 to 128 of A-Z and 0-9");
  } else if (has_key && principal.secret_file.empty()) {
    reader.Refuse("access_key_id", "needs secret_file");
  } else if (!has_key && !principal.secret_file.empty()) {
    reader.Refuse("secret_file", "needs access_key_id");
  } else if (!has_key && !principal.unix_uid) {
    reader.Refuse("service",
                  "needs unix_uid, or access_key_id and secret_file: else "
                  "nobody could be it");
  }
  config.service_principals.push_back(std::move(principal));
  return reader.Finish();
}

bool IsAccount(std::string_view text) {
  return text.size() == 12 &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

// `config` has its account already.
Status ReadOidcProvider(TableReader& reader, Config& config) {
  OidcProvider provider;
  provider.accounts = {config.account};
  reader.Text("issuer", provider.issuer, true)
      .Texts("audiences", provider.audiences, true)
      .Text("jwks_file", provider.jwks_file, true)
      .Texts("accounts", provider.accounts);
  RETURN_IF_ERROR(reader.Finish());
  provider.where = {reader.Where("jwks_file")};
  if (!kms::identity::IsIssuer(provider.issuer)) {
    reader.Refuse("issuer",
                  fmt::format("'{}' is not https://HOST, perhaps with a port "
                              "and a path, without query and fragment, in at "
                              "most 255 characters",
                              provider.issuer));
  } else if (!std::ranges::all_of(provider.audiences,
                                  kms::identity::IsAudience)) {
    reader.Refuse("audiences", "may have at most 255 characters each");
  } else if (!std::ranges::all_of(provider.accounts, IsAccount)) {
    reader.Refuse("accounts", "must have 12 digits each");
  }
  config.oidc_providers.push_back(std::move(provider));
  return reader.Finish();
}

Status ReadListen(TableReader& reader, Config& config) {
  return reader.Text("unix", config.unix_socket)
      .Address("http", config.http)
      .Address("https", config.https)
      .Text("certificate", config.certificate)
      .Text("private_key", config.private_key)
      .Bool("public_metrics", config.public_metrics)
      .Finish();
}

void ReadXksTables(TableReader& reader, Config& config) {
  reader
      .Table("xks_client",
             [&](TableReader& table) { return ReadXksClient(table, config); })
      .Table("xks_proxy",
             [&](TableReader& table) { return ReadXksProxy(table, config); })
      .Tables("xks_tenant",
              [&](TableReader& table) { return ReadXksTenant(table, config); });
}

Status ReadTables(TableReader& reader, Config& config) {
  constexpr std::int64_t kMegabyte = 1 << 20;
  constexpr std::int64_t kAny = std::numeric_limits<std::int64_t>::max();
  reader.Text("state", config.state)
      .Text("account", config.account, true)
      .Text("region", config.region)
      .Table("listen",
             [&](TableReader& table) { return ReadListen(table, config); })
      .Table("server",
             [&](TableReader& table) {
               return table.Integer("threads", config.threads, 1, 64)
                   .Integer("max_connections", config.max_connections, 1, 65536)
                   .Integer("max_requests_in_flight",
                            config.max_requests_in_flight, 1, 65536)
                   .Finish();
             })
      .Table("audit",
             [&](TableReader& table) {
               return table
                   .Integer("segment_bytes", config.segment_bytes, kMegabyte,
                            1024 * kMegabyte)
                   .Integer("segment_seconds", config.segment_seconds, 60,
                            31 * 86400)
                   .Integer("low_space_bytes", config.low_space_bytes, 0, kAny)
                   .Finish();
             })
      .Table("memory",
             [&](TableReader& table) {
               return table
                   .Integer("secure_heap_bytes", config.secure_heap_bytes,
                            kMegabyte, 1024 * kMegabyte)
                   .Bool("allow_unlocked", config.allow_unlocked_memory)
                   .Finish();
             })
      .Table("import",
             [&](TableReader& table) {
               return table.Bool("strict_boundary", config.strict_boundary)
                   .Finish();
             })
      .Table("hsm",
             [&](TableReader& table) {
               return table.Text("allowed_user", config.allowed_user).Finish();
             })
      .Tables("service_principal",
              [&](TableReader& table) {
                return ReadServicePrincipal(table, config);
              })
      .Table(
          "peer_principals",
          [&](TableReader& table) { return ReadPeerPrincipals(table, config); })
      .Table("certificate_principals",
             [&](TableReader& table) {
               return ReadCertificatePrincipals(table, config);
             })
      .Tables(
          "oidc_provider",
          [&](TableReader& table) { return ReadOidcProvider(table, config); })
      .Table(
          "organization",
          [&](TableReader& table) { return ReadOrganization(table, config); })
      .Tables("key_store",
              [&](TableReader& table) { return ReadKeyStore(table, config); });
  ReadXksTables(reader, config);
  return reader.Finish();
}

// 127.0.0.0/8 and ::1 (RFC 1122, 3.2.1.3; RFC 4291, 2.5.3), as numbers: a name
// could come to mean something else.
bool IsLoopback(const std::string& host) {
  in_addr v4{};
  in6_addr v6{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) {
    return (ntohl(v4.s_addr) >> 24) == 127;
  }
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 &&
         IN6_IS_ADDR_LOOPBACK(&v6);
}

// Nobody can be two services.
Status CheckServicePrincipals(const std::string& file, const Config& config) {
  std::set<std::string> proofs;
  for (const ServicePrincipal& principal : config.service_principals) {
    if (principal.unix_uid &&
        !proofs.insert(std::to_string(*principal.unix_uid)).second) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("{}: unix_uid {} stands in two "
                               "[[service_principal]] tables",
                               file, *principal.unix_uid)};
    }
    if (!principal.access_key_id.empty() &&
        !proofs.insert(principal.access_key_id).second) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("{}: access_key_id {} stands in two "
                               "[[service_principal]] tables",
                               file, principal.access_key_id)};
    }
  }
  return {};
}

// An account takes the word of an issuer by one table, so that the audiences
// and keys of another do not count.
Status CheckOidcProviders(const std::string& file, const Config& config) {
  std::set<std::pair<std::string_view, std::string_view>> trusts;
  for (const OidcProvider& provider : config.oidc_providers) {
    for (const std::string& account : provider.accounts) {
      if (!trusts.emplace(provider.issuer, account).second) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("{}: account {} trusts issuer {} twice; say "
                                 "in one [[oidc_provider]] table what it "
                                 "accepts",
                                 file, account, provider.issuer)};
      }
    }
  }
  return {};
}

// What no single key can say.
Status CheckWhole(const std::string& file, const Config& config) {
  const auto wrong = [&file](const std::string& reason) {
    return Error{ErrorCode::kInvalidArgument, file + ": " + reason};
  };
  if (!IsAccount(config.account)) {
    return wrong("account must be 12 digits");
  }
  if (!base::IsRegionName(config.region)) {
    return wrong("region must be the name of a Region, such as us-east-1");
  }
  RETURN_IF_ERROR(CheckKeyStores(file, config));
  RETURN_IF_ERROR(CheckTokens(file, config));
  // The XKS proxy takes as many again.
  const std::uint64_t in_flight =
      static_cast<std::uint64_t>(config.threads) *
      static_cast<std::uint64_t>(config.max_requests_in_flight) *
      (config.xks_proxy ? 2 : 1);
  if (in_flight * kSecretsOfARequest > config.secure_heap_bytes) {
    return wrong(fmt::format(
        "memory.secure_heap_bytes is {}, but {} requests in flight "
        "(server.threads times server.max_requests_in_flight, and as many of "
        "xks_proxy if there is one) may need {}",
        config.secure_heap_bytes, in_flight, in_flight * kSecretsOfARequest));
  }
  if (config.http && !IsLoopback(config.http->host)) {
    return wrong(fmt::format(
        "listen.http is plain HTTP, for loopback addresses only (127.0.0.1, "
        "::1), not for {}; listen there with listen.https",
        config.http->host));
  }
  RETURN_IF_ERROR(CheckServicePrincipals(file, config));
  RETURN_IF_ERROR(CheckPeerPrincipals(file, config));
  RETURN_IF_ERROR(CheckOidcProviders(file, config));
  RETURN_IF_ERROR(CheckXksProxy(file, config));
  const bool has_files =
      !config.certificate.empty() && !config.private_key.empty();
  if (config.https && !has_files) {
    return wrong(
        "listen.https needs listen.certificate and listen.private_key");
  }
  return {};
}

}  // namespace

bool IsServicePrincipal(std::string_view text) {
  constexpr std::string_view kSuffix = ".amazonaws.com";
  constexpr std::size_t kMostLetters = 63;  // Of a DNS label (RFC 1035, 2.3.4).
  if (!text.ends_with(kSuffix)) {
    return false;
  }
  text.remove_suffix(kSuffix.size());
  return !text.empty() && text.size() <= kMostLetters &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") ==
             std::string_view::npos;
}

base::Result<ListenAddress> ParseListenAddress(std::string_view text) {
  const Error bad = {ErrorCode::kInvalidArgument,
                     fmt::format("'{}' is not ADDRESS:PORT, such as "
                                 "127.0.0.1:8080 or [::1]:8080",
                                 text)};
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return bad;
  }
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
  }
  ListenAddress address;
  const auto [end, error] = std::from_chars(
      digits.data(), digits.data() + digits.size(), address.port);
  const bool whole =
      error == std::errc() && end == digits.data() + digits.size();
  if (!whole || host.empty() ||
      bracketed != (host.find(':') != std::string_view::npos)) {
    return bad;
  }
  address.host = host;
  return address;
}

namespace {

base::Result<toml::table> Parse(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {  // It parses as empty.
    return Error{ErrorCode::kInvalidArgument, path + " is a directory"};
  }
  try {
    return toml::parse_file(path);
  } catch (const toml::parse_error& error) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{}:{}: {}", path, error.source().begin.line,
                             error.description())};
  }
}

}  // namespace

base::Result<Config> Load(const std::string& path) {
  ASSIGN_OR_RETURN(const toml::table table, Parse(path));
  Config config;
  TableReader reader(path, table, "");
  RETURN_IF_ERROR(ReadTables(reader, config));
  RETURN_IF_ERROR(CheckWhole(path, config));
  return config;
}

base::Status LoadXks(const std::string& path, Config& config) {
  ASSIGN_OR_RETURN(const toml::table table, Parse(path));
  TableReader reader(path, table, "");
  ReadXksTables(reader, config);
  RETURN_IF_ERROR(reader.Finish());
  return CheckXksProxy(path, config);
}

}  // namespace tools::config
