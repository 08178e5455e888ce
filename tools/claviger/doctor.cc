// SPDX-License-Identifier: Apache-2.0
// One line a check: what is well, what is not, and how to mend it.
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "base/json.h"
#include "kms/audit/files.h"
#include "kms/audit/log.h"
#include "kms/client/client.h"
#include "kms/store/store.h"
#include "tools/claviger/connect.h"
#include "tools/claviger/finding.h"
#include "tools/claviger/verb.h"
#include "tools/config/config.h"
#include "tools/config/key_store.h"
#include "tools/files/files.h"
#include "tools/setup/setup.h"

namespace tools::claviger {
namespace {

using base::Error;

constexpr const char* kConfig = "--config";
constexpr const char* kDevFolder = "--dev-dir";
constexpr const char* kOpenssl = "--openssl";
constexpr const char* kProbe = "--probe-token";
constexpr auto kOptions = std::to_array<Option>({
    {kConfig, "Configuration file (default: " CLAVIGER_CONFIG_FILE ")"},
    {kDevFolder, "Look at the folder of a development server instead"},
    {kOpenssl,
     "Look at the OpenSSL that programs use here, and its provider "
     "claviger.so, instead",
     OptionKind::kFlag},
    {kProbe, "Log in to the token as well: only while the server is stopped",
     OptionKind::kFlag},
});

Finding CheckPrivate(const std::string& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) {
    return Failure("there is no " + path + ": run `claviger init`");
  }
  if ((found.st_mode & 077) != 0) {
    return Failure(fmt::format("{} is open to others (mode {:o}): chmod go= {}",
                               path, found.st_mode & 0777, path));
  }
  return fmt::format("{} (mode {:o}, uid {})", path, found.st_mode & 0777,
                     found.st_uid);
}

Finding CheckModule(const config::Token& store) {
  if (!Exists(store.module)) {
    return Failure("there is no " + store.module +
                   ": install it (SoftHSM: apt-get install softhsm2)");
  }
  return store.module;
}

Finding CheckMemory(const config::Config& config) {
  rlimit limit{};
  getrlimit(RLIMIT_MEMLOCK, &limit);
  if (limit.rlim_cur != RLIM_INFINITY &&
      limit.rlim_cur < config.secure_heap_bytes) {
    return Warning(
        fmt::format("here RLIMIT_MEMLOCK is {} bytes, the server locks {}: "
                    "LimitMEMLOCK=64M in its unit, or ulimit -l",
                    limit.rlim_cur, config.secure_heap_bytes));
  }
  return std::string("RLIMIT_MEMLOCK allows the secure heap");
}

Finding CheckStore(const config::Config& config) {
  kms::store::StoreOptions options;
  options.path = config.state + "/claviger.db";
  ASSIGN_OR_RETURN(const auto store, kms::store::Store::OpenReadOnly(options));
  const kms::store::StoreInfo info = store->info();
  return fmt::format("store {}, epoch {}, revision {}", info.id, info.epoch,
                     info.revision);
}

Finding CheckAudit(const config::Config& config) {
  const std::string folder = config.state + "/audit";
  // The operator may move the oldest segments away (docs/audit.md).
  ASSIGN_OR_RETURN(const auto segments, kms::audit::ListSegments(folder));
  if (!segments.empty() && segments.front().first_sequence != 1) {
    return Warning(
        "not checked, since its oldest segments are elsewhere: claviger audit "
        "verify --from SEQUENCE:HASH " +
        folder);
  }
  ASSIGN_OR_RETURN(const kms::audit::Verification found,
                   kms::audit::Verify(folder, {}));
  return fmt::format("{} records, complete to {}", found.records,
                     found.head_sequence);
}

Finding CheckSpace(const config::Config& config) {
  struct statvfs space {};
  if (statvfs(config.state.c_str(), &space) != 0) {
    return Failure("cannot ask for the free space of " + config.state);
  }
  const std::uint64_t free = space.f_bavail * space.f_frsize;
  if (free < config.low_space_bytes) {
    return Warning(fmt::format(
        "{} MB are free where the state lies: without space for the audit log "
        "every request is refused",
        free >> 20));
  }
  return fmt::format("{} MB free", free >> 20);
}

base::Result<std::unique_ptr<kms::client::Client>> ClientOf(
    const config::Config& config) {
  Arguments arguments;
  arguments.Set(kEndpointOption, {config.unix_socket});
  return MakeClient(arguments);
}

Finding CheckServer(const config::Config& config) {
  ASSIGN_OR_RETURN(const auto client, ClientOf(config));
  const auto ready = client->Get("/readyz");
  if (!ready) {
    return Warning("no server answers on " + config.unix_socket +
                   ": systemctl start clavigerd");
  }
  if (ready->status != 200) {
    return Failure("the server is not ready: " +
                   Printable(std::string_view(ready->body)));
  }
  return "serves on " + config.unix_socket;
}

Finding CheckClock(const config::Config& config) {
  ASSIGN_OR_RETURN(const auto client, ClientOf(config));
  const auto answer = client->Call("Claviger.Status", "{}");
  if (!answer) {
    return Warning("not asked: " + answer.error().message);
  }
  ASSIGN_OR_RETURN(const base::Json status, base::ParseJson(answer->body));
  const auto waits = status.find("DestructionWaitsForClock");
  if (waits != status.end() && waits->is_boolean() && waits->get<bool>()) {
    return Warning(
        "the clock leads the time that has provably passed: keys that are due "
        "are not destroyed. If the clock is right: claviger call "
        "Claviger.AcceptClock");
  }
  return std::string("trusted");
}

// A text of an object; empty if it has none of that name.
std::string MemberOf(const base::Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string()
             ? std::string(base::TextOf(*found))
             : "";
}

// Appends those of a key store's tokens that get no requests.
void AddIllTokens(const base::Json& key_store, std::string& ill) {
  const auto tokens = key_store.find("Tokens");
  if (tokens == key_store.end() || !tokens->is_array()) {
    return;
  }
  for (const base::Json& token : *tokens) {
    if (const auto state = MemberOf(token, "State"); state != "serving") {
      ill += fmt::format("{}{}/{} is {}: {}", ill.empty() ? "" : "; ",
                         MemberOf(key_store, "Name"), MemberOf(token, "Name"),
                         state, MemberOf(token, "Reason"));
    }
  }
}

// What the server says of its key stores.
base::Result<base::Json> KeyStoresOf(const config::Config& config) {
  ASSIGN_OR_RETURN(const auto client, ClientOf(config));
  const auto answer = client->Call("Claviger.Status", "{}");
  if (!answer) {
    return Warning("not asked: " + answer.error().message);
  }
  ASSIGN_OR_RETURN(const base::Json status, base::ParseJson(answer->body));
  const auto key_stores = status.find("KeyStores");
  if (key_stores == status.end() || !key_stores->is_array()) {
    return Warning("not told: the server does not name its key stores");
  }
  return *key_stores;
}

// Whether every token gets requests, as the server says.
Finding CheckTokens(const config::Config& config) {
  ASSIGN_OR_RETURN(const base::Json key_stores, KeyStoresOf(config));
  std::string ill;
  for (const base::Json& key_store : key_stores) {
    AddIllTokens(key_store, ill);
  }
  return ill.empty() ? Finding("all serve") : Warning(Printable(ill));
}

// Whether a wrapping key that the configuration calls shareable was made so.
Finding CheckShareable(const config::Config& config,
                       const std::string& key_store) {
  ASSIGN_OR_RETURN(const base::Json key_stores, KeyStoresOf(config));
  for (const base::Json& one : key_stores) {
    const auto shares = one.find("SharesWrappingKey");
    if (MemberOf(one, "Name") == key_store && shares != one.end() &&
        shares->is_boolean() && shares->get<bool>()) {
      return std::string("may be shared");
    }
  }
  return Warning(
      "it was made before shareable_wrapping_key was set, and never leaves its "
      "token: remove the setting, or have a key store of another name");
}

Finding ProbeToken(const config::Token& store) {
  std::vector<std::string> words = {SiblingProgram("claviger-hsm"), "probe"};
  const std::vector<std::string> token = setup::TokenOptions(store);
  words.insert(words.end(), token.begin(), token.end());
  RETURN_IF_ERROR(RunProgram(words));
  return std::string("usable; its findings are above");
}

// What is looked at for each token of a key store. The first one's is the one
// that is meant if none is named.
void AddTokenChecks(const config::KeyStore& store, bool is_first, bool probe,
                    std::vector<Check>& checks) {
  for (const config::Token* const token : config::TokensOf(store)) {
    const std::string of = is_first && token == &store
                               ? ""
                               : " of " + config::FullName(store, *token);
    checks.push_back(
        {"PKCS#11 module" + of, [token] { return CheckModule(*token); }});
    // A credential of systemd is there only while its unit runs.
    if (Exists(token->pin_file)) {
      checks.push_back(
          {"PIN file" + of, [token] { return CheckPrivate(token->pin_file); }});
    }
    if (probe) {
      checks.push_back({"token" + of, [token] { return ProbeToken(*token); }});
    }
  }
}

std::vector<Check> ChecksOf(const config::Config& config, bool probe) {
  std::vector<Check> checks = {
      {"state folder", [&] { return CheckPrivate(config.state); }},
      {"store", [&] { return CheckStore(config); }},
      {"audit log", [&] { return CheckAudit(config); }},
      {"free space", [&] { return CheckSpace(config); }},
      {"locked memory", [&] { return CheckMemory(config); }},
      {"server", [&] { return CheckServer(config); }},
      {"clock", [&] { return CheckClock(config); }},
  };
  if (config.key_stores.size() > 1 ||
      !config.key_stores.front().further_tokens.empty()) {
    checks.push_back({"tokens", [&] { return CheckTokens(config); }});
  }
  for (const config::KeyStore& store : config.key_stores) {
    if (store.shareable) {
      checks.push_back({&store == &config.key_stores.front()
                            ? "wrapping key"
                            : "wrapping key of " + store.name,
                        [&] { return CheckShareable(config, store.name); }});
    }
    AddTokenChecks(store, &store == &config.key_stores.front(), probe, checks);
  }
  return checks;
}

// The configuration that `clavigerd --dev` has under a folder.
base::Result<config::Config> DevConfig(const std::string& given) {
  ASSIGN_OR_RETURN(const std::string folder, setup::DevFolder(given));
  setenv("SOFTHSM2_CONF", (folder + "/softhsm2.conf").c_str(), 1);
  config::Config config;
  config.state = folder;
  config.unix_socket = folder + "/clavigerd.sock";
  config::KeyStore store;
  store.name = "default";
  store.module = "/usr/lib/softhsm/libsofthsm2.so";
  store.token = "pkcs11:token=claviger-dev";
  store.pin_file = folder + "/pin";
  config.key_stores = {store};
  return config;
}

base::Result<int> RunDoctor(const Arguments& arguments) {
  if (arguments.Has(kOpenssl)) {
    return RunOpensslDoctor();
  }
  base::Result<config::Config> config = [&] {
    const auto folder = arguments.Text(kDevFolder);
    return folder ? DevConfig(*folder)
                  : config::Load(
                        arguments.Text(kConfig).value_or(CLAVIGER_CONFIG_FILE));
  }();
  const Finding read =
      config ? Finding("as it should be") : Finding(Error(config.error()));
  bool well = Report("configuration", read);
  if (!config) {
    return kExitUsage;
  }
  for (const Check& check : ChecksOf(*config, arguments.Has(kProbe))) {
    well = Report(check.name, check.run()) && well;
  }
  return well ? kExitSuccess : kExitRefused;
}

}  // namespace

Verb DoctorVerb() {
  return {"doctor",
          "Looks at a server's surroundings and says how to mend them",
          kOptions, RunDoctor};
}

}  // namespace tools::claviger
