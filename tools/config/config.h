// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CONFIG_CONFIG_H_
#define TOOLS_CONFIG_CONFIG_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "hsm/xks/settings.h"

namespace tools::config {

// "HOST:PORT", the host a numeric address (IPv6 in brackets).
struct ListenAddress {
  std::string host;
  std::uint16_t port = 0;
};
base::Result<ListenAddress> ParseListenAddress(std::string_view text);

// A token and the workers that use it.
struct Token {
  std::string name;
  std::string module;    // Path of the PKCS#11 module.
  std::string token;     // RFC 7512 URI.
  std::string pin_file;  // Read by claviger-hsm only.
  std::string socket;    // Of its supervisor.
  std::string quirks;    // Name of a profile; empty: recognised.
  std::string lock_dir;  // For tokens without a directory of their own.
  std::string module_parameters;          // For modules that want them: NSS.
  std::vector<std::string> accept_risks;  // Of hsm/token/risks.h.
  int workers = 2;                        // 1..64.

  bool operator==(const Token&) const = default;
};

// One [[key_store.further_token]]: a token that shares the wrapped keys.
struct FurtherToken : Token {
  bool drain = false;  // It gets no requests any more.
};

// One [[key_store]]: its home token, which has the name of the key store, and
// what else it has.
struct KeyStore : Token {
  bool wrapped = false;  // placement: "wrapped", or "resident".
  // Whether the key that wraps may be given to other tokens; decided when it is
  // made. With `wrapped` only.
  bool shareable = false;
  // The first one has neither, every other one has one of them: the Regions
  // whose new keys it takes, or the CloudHsmClusterId by which custom key
  // stores name it.
  std::vector<std::string> regions;
  std::string cluster_id;
  std::vector<FurtherToken> further_tokens;
};

// [xks_client]: the workers that ask the XKS proxies of external key stores.
struct XksClient {
  std::string socket = "/run/claviger-xks/xks.sock";  // Of their supervisor.
  int workers = 1;                                    // 1..16.
  std::vector<std::string> vpc_endpoint_services;
  hsm::xks::Settings settings;
};

// Whether `text` can name a service: NAME.amazonaws.com, the name of letters in
// lower case, digits and hyphens.
bool IsServicePrincipal(std::string_view text);

// One [[service_principal]]: whom clavigerd takes for an AWS service. At least
// one of its two proofs is there; several tables may name one service.
struct ServicePrincipal {
  std::string service;                    // "s3.amazonaws.com"
  std::optional<std::uint32_t> unix_uid;  // Of its processes on this machine.
  std::string access_key_id;              // With secret_file, or neither.
  std::string secret_file;                // Read by clavigerd at its start.

  bool operator==(const ServicePrincipal&) const = default;
};

// Where something stands, "file:line". It is not another for standing
// elsewhere.
struct Place {
  std::string text;

  bool operator==(const Place&) const { return true; }
};

// One [[oidc_provider]]: who may vouch for web identities.
struct OidcProvider {
  std::string issuer;                  // As in its tokens, to the letter.
  std::vector<std::string> audiences;  // Whom its tokens may be for.
  std::string jwks_file;               // Read by clavigerd at its start.
  std::vector<std::string> accounts;   // Which trust it.
  Place where;                         // Of jwks_file.

  bool operator==(const OidcProvider&) const = default;
};

// A place in an organization: its root, an organizational unit or an account.
struct OrganizationNode {
  std::string id;      // "r-ab12", "ou-ab12-11111111", "111122223333"
  std::string parent;  // Id of what it is directly in; empty for the root.
  // Files, read by clavigerd at its start, or "FullAWSAccess".
  std::vector<std::string> service_control_policies = {"FullAWSAccess"};
  std::vector<std::string> resource_control_policies;
  Place where;

  bool operator==(const OrganizationNode&) const = default;
};

// [organization]: what AWS Organizations would say about the accounts here.
struct Organization {
  std::string id;                  // "o-exampleorg1"
  std::string management_account;  // Not bound by any policy; may be empty.
  std::vector<OrganizationNode> units;  // The root and the units.
  std::vector<OrganizationNode> accounts;

  bool operator==(const Organization&) const = default;
};

// [xks_proxy]: where other key management services ask for external keys.
struct XksProxy {
  ListenAddress listen;
  std::optional<ListenAddress> ping_listen;  // Plain HTTP, GET /ping alone.
  std::string certificate;
  std::string private_key;
  // Who issues the certificates that clients must show, and the common names
  // that they may have; empty: clients show none.
  std::string client_ca;
  std::vector<std::string> client_names;
};

// One [[xks_tenant]]: keys and credentials of its own under a path of its own.
struct XksTenant {
  std::string name;
  std::string uri_prefix;            // "/team-a", or empty.
  std::vector<std::string> regions;  // Empty: any.
  std::string policy;  // File, read by clavigerd at its start; or empty.
  int requests_per_second = 1800;
  Place where;  // Of policy.

  bool operator==(const XksTenant&) const = default;
};

// A blob of each of a request's largest members, what the worker answers, and
// the rounding up of each to a power of two.
inline constexpr std::uint64_t kSecretsOfARequest = 32U << 10;

// The configuration of clavigerd and claviger-hsm: one TOML file.
struct Config {
  std::string state = "/var/lib/claviger";
  std::string account;               // Of callers on the Unix socket.
  std::string region = "us-east-1";  // Of their requests that name none.

  // [listen]
  std::string unix_socket = "/run/claviger/clavigerd.sock";
  std::optional<ListenAddress> http;   // Loopback only.
  std::optional<ListenAddress> https;  // Needs certificate and private_key.
  std::string certificate;
  std::string private_key;
  bool public_metrics = false;  // /metrics and /readyz on https too.

  // [server]
  int threads = 1;
  int max_connections = 4096;
  // Of each thread. More are throttled: every one of them may hold secrets of
  // up to kSecretsOfARequest bytes, and an empty secure heap ends the program.
  int max_requests_in_flight = 512;

  // [audit]
  std::uint64_t segment_bytes = 64U << 20;
  std::uint64_t segment_seconds = 86400;
  std::uint64_t low_space_bytes = 1U << 30;

  // [memory]
  std::uint64_t secure_heap_bytes = 16U << 20;
  bool allow_unlocked_memory = false;

  // [import]
  bool strict_boundary = false;  // Imported material only within the token.

  // [hsm]
  std::string allowed_user = "claviger";  // Who may use the workers.

  std::vector<ServicePrincipal> service_principals;
  // ARNs of users and roles: [peer_principals] by the uid of their processes,
  // [certificate_principals] by the SHA-256 of their client certificates.
  std::map<std::uint32_t, std::string> peer_principals;
  std::map<base::Digest, std::string> certificate_principals;
  std::vector<OidcProvider> oidc_providers;
  std::optional<Organization> organization;
  std::vector<KeyStore> key_stores;
  std::optional<XksProxy> xks_proxy;
  std::vector<XksTenant> xks_tenants;
  std::optional<XksClient> xks_client;  // Without, there are no external keys.
};

// Reads `path`. Fails with kInvalidArgument and "file:line: reason" for an
// unknown key, a value of the wrong type or out of range, a missing value:
// there is no default for what a typing error left out.
base::Result<Config> Load(const std::string& path);

// Reads a file that holds nothing but the tables about external key stores,
// [xks_client], [xks_proxy] and [[xks_tenant]], into `config`. Fails like Load.
base::Status LoadXks(const std::string& path, Config& config);

}  // namespace tools::config

#endif  // TOOLS_CONFIG_CONFIG_H_
