// SPDX-License-Identifier: Apache-2.0
// Makes everything that a server on this machine needs, once. The configuration
// file is written last: without it, nothing that an interrupted run has left is
// taken for a server.
#include <fmt/format.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "kms/identity/credentials.h"
#include "tools/claviger/init_plan.h"
#include "tools/claviger/verb.h"
#include "tools/clavigerd/daemon.h"
#include "tools/config/config.h"
#include "tools/files/files.h"
#include "tools/setup/setup.h"

namespace tools::claviger {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorCode;

base::Status MakeFolders(const Plan& plan) {
  std::error_code error;
  std::vector<fs::path> folders = {fs::path(plan.config_file).parent_path(),
                                   plan.state};
  if (plan.makes_token()) {
    folders.insert(folders.end(), {plan.token_folder,
                                   fs::path(plan.softhsm_conf).parent_path(),
                                   fs::path(plan.pin_file).parent_path()});
  }
  for (const fs::path& folder : folders) {
    fs::create_directories(folder, error);
    if (error) {
      return Error{ErrorCode::kIo, "cannot make the folder " + folder.string() +
                                       ": " + error.message()};
    }
  }
  fs::permissions(plan.state, fs::perms::owner_all, error);
  if (plan.makes_token()) {
    fs::permissions(plan.token_folder, fs::perms::owner_all, error);
  }
  return {};
}

// What the configuration says of a token beyond what each has.
std::string TokenText(const Plan& plan, const config::KeyStore& store) {
  std::string text;
  if (!store.quirks.empty()) {
    text += fmt::format("quirks = \"{}\"\n", store.quirks);
  }
  if (!store.module_parameters.empty()) {
    text +=
        fmt::format("module_parameters = \"{}\"\n", store.module_parameters);
  }
  if (!store.accept_risks.empty()) {
    text += fmt::format("accept_risks = [\"{}\"]\n",
                        fmt::join(store.accept_risks, "\", \""));
  }
  if (!plan.makes_token()) {
    text += fmt::format("lock_dir = \"{}/claviger-hsm\"\n", plan.run_folder);
  }
  return text;
}

std::string ConfigText(const Plan& plan, const config::KeyStore& store) {
  const std::string http =
      plan.http.empty() ? "# http = \"127.0.0.1:8080\"       # Loopback only."
                        : fmt::format("http = \"{}\"", plan.http);
  return fmt::format(
      R"(# The configuration of clavigerd and claviger-hsm. A key that is not known, or
# a bad value, refuses to start and says where.

state = "{state}"
account = "{account}"        # Of callers on the Unix socket.
# region = "us-east-1"           # Of their requests that name none.

[listen]
unix = "{run}/claviger/clavigerd.sock"
{http}
# https = "0.0.0.0:8443"         # Needs the two below.
# certificate = "/etc/claviger/tls/certificate.pem"
# private_key = "/etc/claviger/tls/private-key.pem"

[hsm]
allowed_user = "{user}"

[[key_store]]
name = "{name}"
module = "{module}"
token = "{token}"
pin_file = "{pin}"
{more}socket = "{run}/claviger-hsm/{name}.sock"
{placement}
workers = {workers}
)",
      fmt::arg("state", plan.state), fmt::arg("account", plan.account),
      fmt::arg("run", plan.run_folder), fmt::arg("http", http),
      fmt::arg("user", plan.user), fmt::arg("name", store.name),
      fmt::arg("module", store.module), fmt::arg("token", store.token),
      fmt::arg("pin", plan.systemd_credential
                          ? "/run/credentials/claviger-hsm@main.service/pin"
                          : plan.pin_file),
      fmt::arg("more", TokenText(plan, store)),
      fmt::arg("placement",
               store.shareable
                   ? "placement = \"wrapped\"\nshareable_wrapping_key = true"
                   : "# placement = \"wrapped\"          # New keys: in the "
                     "store, wrapped by the token."),
      fmt::arg("workers", store.workers));
}

// Calls `use` with a new folder, which is gone afterwards.
template <typename Use>
base::Status InTemporaryFolder(Use use) {
  std::string folder = "/tmp/claviger-init.XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) {
    return Error{ErrorCode::kIo, std::string("cannot make a folder in /tmp: ") +
                                     std::strerror(errno)};
  }
  base::Status status = use(folder);
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  return status;
}

// Before anything is made, so that a token which cannot be used leaves nothing.
base::Status CheckGivenToken(const Plan& plan) {
  return InTemporaryFolder([&](const std::string& folder) {
    config::KeyStore store = plan.given;
    store.pin_file = plan.pin_file;
    store.lock_dir = folder;  // There is no server yet.
    return setup::CheckVacant(store, plan.adopt_token);
  });
}

// The store, its service key on the token, and the administrator.
base::Status MakeStore(const Plan& plan, config::KeyStore store,
                       const FirstAdministrator& administrator) {
  return InTemporaryFolder([&](const std::string& folder) -> base::Status {
    store.socket = folder + "/hsm.sock";
    store.lock_dir = folder;  // There is no server yet.
    config::Config config;
    config.state = plan.state;
    config.account = plan.account;
    config.key_stores = {store};
    ASSIGN_OR_RETURN(const auto workers, setup::Workers::Start(store));
    const base::RealClock clock;
    Daemon daemon(config, clock);
    RETURN_IF_ERROR(daemon.Open(&administrator));
    // Closed like any server: connections, log and store in their order.
    daemon.Stop();
    daemon.Run();
    return {};
  });
}

base::Status GiveTo(const std::string& user, const std::string& path) {
  const passwd* const entry = getpwnam(user.c_str());
  if (geteuid() != 0 || entry == nullptr) {
    return {};
  }
  std::error_code error;
  bool good = lchown(path.c_str(), entry->pw_uid, entry->pw_gid) == 0;
  if (fs::is_directory(path)) {
    for (const auto& item : fs::recursive_directory_iterator(path, error)) {
      good = lchown(item.path().c_str(), entry->pw_uid, entry->pw_gid) == 0 &&
             good;
    }
  }
  if (error || !good) {
    return Error{ErrorCode::kIo, "cannot give " + path + " to " + user};
  }
  return {};
}

base::WipingString CredentialText(const FirstAdministrator& administrator) {
  base::WipingString text;
  text.append("export AWS_ACCESS_KEY_ID=")
      .append(administrator.access_key_id)
      .append("\nexport AWS_SECRET_ACCESS_KEY='")
      .append(administrator.secret.RevealText())
      .append("'\n");
  return text;
}

// Says what there is now. The credential goes where it was asked for before the
// configuration makes this a server, so that it cannot be lost in between.
base::Status HandOver(const Plan& plan, const config::KeyStore& store,
                      const FirstAdministrator& administrator) {
  const base::WipingString credential = CredentialText(administrator);
  if (!plan.credential_file.empty()) {
    RETURN_IF_ERROR(WriteFile(plan.credential_file, credential, 0600));
    fmt::print("The administrator's access key is in {}.\n",
               plan.credential_file);
  } else {
    fmt::print(
        "The administrator's access key, shown this once. Keep it:\n\n{}\n",
        std::string_view(credential));
    std::fflush(stdout);
  }
  RETURN_IF_ERROR(WriteFile(plan.config_file, ConfigText(plan, store), 0644));
  fmt::print(
      "Configuration: {0}\n"
      "Next:\n"
      "  claviger doctor --config {0}\n",
      plan.config_file);
  if (plan.systemd_credential) {
    fmt::print("  systemctl enable --now claviger-hsm@main clavigerd\n");
  } else {
    fmt::print(
        "and, with the folders {0}/claviger-hsm and {0}/claviger there:\n"
        "  {1}claviger-hsm --config {2}     (as {3})\n"
        "  clavigerd --config {2}     (as {4})\n",
        plan.run_folder,
        plan.makes_token() ? "SOFTHSM2_CONF=" + plan.softhsm_conf + " " : "",
        plan.config_file, plan.hsm_user, plan.user);
  }
  return {};
}

// A new token of SoftHSM, and how to open it.
base::Result<config::KeyStore> NewToken(const Plan& plan) {
  config::KeyStore store;
  ASSIGN_OR_RETURN(store.module, setup::FindSoftHsm());
  store.token = "pkcs11:token=" + plan.token_label;
  store.pin_file = plan.pin_file;
  RETURN_IF_ERROR(setup::MakePinFile(plan.pin_file));
  RETURN_IF_ERROR(setup::MakePinFile(plan.pin_file + ".so"));
  RETURN_IF_ERROR(
      setup::UseSoftHsmConfiguration(plan.softhsm_conf, plan.token_folder));
  RETURN_IF_ERROR(setup::MakeToken(store, plan.token_label,
                                   plan.pin_file + ".so", plan.token_mark()));
  return store;
}

base::Result<int> RunInit(const Arguments& arguments) {
  const Plan plan = PlanOf(arguments);
  RETURN_IF_ERROR(CheckPlan(plan));
  if (!plan.makes_token()) {
    RETURN_IF_ERROR(CheckGivenToken(plan));
  }
  RETURN_IF_ERROR(MakeFolders(plan));
  config::KeyStore store = plan.given;
  if (plan.makes_token()) {
    ASSIGN_OR_RETURN(store, NewToken(plan));
  }
  store.name = "main";
  store.wrapped = plan.shareable;
  store.shareable = plan.shareable;
  store.pin_file = plan.pin_file;
  FirstAdministrator administrator;
  administrator.access_key_id = kms::identity::NewAccessKeyId("AKIA");
  administrator.secret = kms::identity::NewSecretKey();
  RETURN_IF_ERROR(MakeStore(plan, store, administrator));
  RETURN_IF_ERROR(GiveTo(plan.user, plan.state));
  if (plan.makes_token()) {
    RETURN_IF_ERROR(GiveTo(plan.hsm_user, plan.token_folder));
  }
  if (!plan.systemd_credential) {
    RETURN_IF_ERROR(GiveTo(plan.hsm_user, plan.pin_file));
  }
  RETURN_IF_ERROR(HandOver(plan, store, administrator));
  return kExitSuccess;
}

}  // namespace

Verb InitVerb() {
  return {"init",
          "Makes a store, an administrator, a configuration and, unless there "
          "is a token, one of SoftHSM on this machine",
          PlanOptions(), RunInit};
}

}  // namespace tools::claviger
