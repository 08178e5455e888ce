// SPDX-License-Identifier: Apache-2.0
#include "tools/claviger/init_plan.h"

#include <fmt/format.h>
#include <pwd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <initializer_list>
#include <utility>

#include "hsm/token/risks.h"
#include "tools/claviger/token_options.h"
#include "tools/config/config.h"
#include "tools/files/files.h"
#include "tools/setup/setup.h"

namespace tools::claviger {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorCode;

constexpr const char* kConfig = "--config";
constexpr const char* kState = "--state";
constexpr const char* kAccount = "--account";
constexpr const char* kTokenFolder = "--token-dir";
constexpr const char* kTokenLabel = "--token-label";
constexpr const char* kSoftHsmConf = "--softhsm-conf";
constexpr const char* kAdoptToken = "--adopt-token";
constexpr const char* kShareable = "--shareable-wrapping-key";
constexpr const char* kRunFolder = "--run-dir";
constexpr const char* kHttp = "--http";
constexpr const char* kUser = "--user";
constexpr const char* kHsmUser = "--hsm-user";
constexpr const char* kCredentialFile = "--credential-file";

constexpr auto kOptions = std::to_array<Option>({
    {kAccount, "The account, 12 digits", OptionKind::kText, true},
    {kConfig, "Configuration to write (default: " CLAVIGER_CONFIG_FILE ")"},
    {kState, "State folder (default: /var/lib/claviger)"},
    {kTokenFolder,
     "Where SoftHSM keeps its token (default: "
     "/var/lib/claviger-hsm/tokens)"},
    {kTokenLabel, "Label of the token (default: claviger)"},
    {kSoftHsmConf,
     "SoftHSM configuration to write (default: "
     "/etc/claviger/softhsm2.conf)"},
    {kPinFileOption,
     "File for the PIN; the SO's of a new token is beside it, with .so "
     "(default: /etc/claviger/pins/main)"},
    {kModuleOption,
     "PKCS#11 module of a token that is there (default: a new "
     "token of SoftHSM)"},
    {kTokenOption, "URI of that token, such as pkcs11:token=claviger"},
    {kQuirksOption, "Name of that token's profile (default: recognised)"},
    {kModuleParametersOption, "What its module's C_Initialize wants (NSS)"},
    {kAcceptRiskOption, "A theft that it may allow, by its name",
     OptionKind::kList},
    {kAdoptToken, "Use it although it holds keys of another store",
     OptionKind::kFlag},
    {kShareable,
     "Have keys wrapped, by a key that other tokens can be given: for several "
     "tokens",
     OptionKind::kFlag},
    {kRunFolder, "Folder of the sockets (default: /run)"},
    {kHttp, "Serve plain HTTP on this loopback address and port as well"},
    {kUser, "User of clavigerd (default: claviger)"},
    {kHsmUser, "User of claviger-hsm (default: claviger-hsm)"},
    {kCredentialFile,
     "Write the administrator's access key here instead of "
     "printing it"},
});

// The first of `options` that was given, or nothing.
std::string FirstGiven(const Arguments& arguments,
                       std::initializer_list<const char*> options) {
  const auto* const it = std::ranges::find_if(
      options, [&](const char* option) { return arguments.Has(option); });
  return it == options.end() ? "" : *it;
}

// The configuration is read in whatever folder the daemons are started.
std::string Absolute(const std::string& path) {
  std::error_code error;
  return fs::absolute(path, error).string();
}

Error Refusal(ErrorCode code, std::string reason) {
  return {code, std::move(reason) + "; nothing was changed"};
}

// What was typed: it goes into TOML, SoftHSM's configuration and a URI.
base::Status CheckWords(const Plan& plan) {
  constexpr auto kWrong = ErrorCode::kInvalidArgument;
  if (plan.account.size() != 12 ||
      plan.account.find_first_not_of("0123456789") != std::string::npos) {
    return Refusal(kWrong, "--account must be 12 digits");
  }
  for (const std::string& path :
       {plan.config_file, plan.state, plan.token_folder, plan.softhsm_conf,
        plan.pin_file, plan.run_folder, plan.http}) {
    if (path.find_first_of("\"\\\n;%") != std::string::npos) {
      return Refusal(kWrong,
                     "paths may not hold quotes, backslashes, semicolons, "
                     "percent signs or line breaks: " +
                         path);
    }
  }
  const std::string& label = plan.token_label;
  const auto is_plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '.';
  };
  if (label.empty() || label.size() > 32 ||
      !std::ranges::all_of(label, is_plain)) {
    return Refusal(kWrong,
                   "--token-label must be 1 to 32 of A-Z a-z 0-9 . _ -");
  }
  if (plan.http.empty()) {
    return {};
  }
  const auto address = config::ParseListenAddress(plan.http);
  if (!address) {
    return Refusal(kWrong, "--http: " + address.error().message);
  }
  if (!address->host.starts_with("127.") && address->host != "::1") {
    return Refusal(kWrong, "--http is for loopback addresses only");
  }
  return {};
}

// Which token: one that is there, or a new one.
base::Status CheckToken(const Plan& plan) {
  constexpr auto kWrong = ErrorCode::kInvalidArgument;
  const config::KeyStore& given = plan.given;
  if (plan.makes_token()) {
    return plan.for_given_token.empty()
               ? base::Status()
               : Refusal(kWrong, plan.for_given_token + " needs --module");
  }
  if (!plan.for_new_token.empty()) {
    return Refusal(kWrong, plan.for_new_token +
                               " is for a new token of SoftHSM, not for that "
                               "of --module");
  }
  if (given.token.empty()) {
    return Refusal(kWrong, "--module needs --token");
  }
  for (const std::string& text :
       {given.module, given.token, given.quirks, given.module_parameters}) {
    if (text.find_first_of("\"\\\n") != std::string::npos) {
      return Refusal(kWrong,
                     "what says which token it is may not hold quotes, "
                     "backslashes or line breaks: " +
                         text);
    }
  }
  for (const std::string& risk : given.accept_risks) {
    if (hsm::token::FindRisk(risk) == nullptr) {
      return Refusal(kWrong, fmt::format("--accept-risk {}: known are {}", risk,
                                         hsm::token::KnownRisks()));
    }
  }
  if (!Exists(plan.pin_file)) {
    return Refusal(ErrorCode::kNotFound,
                   fmt::format("there is no {}: write the token's PIN to it, "
                               "readable by its owner only",
                               plan.pin_file));
  }
  return {};
}

base::Status CheckUsers(const Plan& plan) {
  for (const std::string& user : {plan.user, plan.hsm_user}) {
    if (getpwnam(user.c_str()) == nullptr) {
      return Refusal(ErrorCode::kNotFound,
                     "there is no user '" + user +
                         "': run systemd-sysusers, or name others with --user "
                         "and --hsm-user");
    }
  }
  return {};
}

bool IsEmptyOrAbsent(const std::string& folder) {
  std::error_code error;
  return !Exists(folder) || fs::is_empty(folder, error);
}

// Those that only a run that makes a token touches.
base::Status CheckFreshToken(const Plan& plan) {
  constexpr auto kThere = ErrorCode::kAlreadyExists;
  if (!Exists(plan.token_mark()) && !IsEmptyOrAbsent(plan.token_folder)) {
    return Refusal(kThere, plan.token_folder +
                               " is not empty. If an interrupted init left it, "
                               "remove it and run init again; if it holds a "
                               "token of yours, name another --token-dir");
  }
  if (Exists(plan.softhsm_conf) &&
      !setup::IsSoftHsmConfiguration(plan.softhsm_conf, plan.token_folder)) {
    return Refusal(kThere, plan.softhsm_conf +
                               " exists and is not ours: name another "
                               "--softhsm-conf");
  }
  return {};
}

// Everything in the folders is given to the daemons' users, so nothing of
// anybody else may lie there, least of all a token or a store in use. What an
// interrupted run may have left and this one can use is taken.
base::Status CheckFresh(const Plan& plan) {
  constexpr auto kThere = ErrorCode::kAlreadyExists;
  if (Exists(plan.config_file)) {
    return Refusal(kThere,
                   plan.config_file + " exists: this machine has been set up");
  }
  if (Exists(plan.state + "/claviger.db")) {
    return Refusal(
        kThere, fmt::format("{} holds a store but there is no {}. If an "
                            "interrupted init left it, remove {} and run init "
                            "again; if it is in use, write its configuration "
                            "by hand",
                            plan.state, plan.config_file, plan.state));
  }
  if (!IsEmptyOrAbsent(plan.state)) {
    return Refusal(kThere, plan.state + " is not empty");
  }
  if (plan.makes_token()) {
    RETURN_IF_ERROR(CheckFreshToken(plan));
  }
  const std::string& file = plan.credential_file;
  if (Exists(file)) {
    return Refusal(kThere, file + " exists");
  }
  if (!file.empty() && !Exists(fs::path(Absolute(file)).parent_path())) {
    return Refusal(ErrorCode::kNotFound, "there is no folder for " + file);
  }
  return {};
}

}  // namespace

std::span<const Option> PlanOptions() { return kOptions; }

Plan PlanOf(const Arguments& arguments) {
  const auto text = [&](const char* option, const char* otherwise) {
    return arguments.Text(option).value_or(otherwise);
  };
  Plan plan;
  plan.config_file = Absolute(text(kConfig, CLAVIGER_CONFIG_FILE));
  plan.state = Absolute(text(kState, "/var/lib/claviger"));
  plan.account = text(kAccount, "");
  plan.token_folder =
      Absolute(text(kTokenFolder, "/var/lib/claviger-hsm/tokens"));
  plan.token_label = text(kTokenLabel, "claviger");
  plan.softhsm_conf =
      Absolute(text(kSoftHsmConf, "/etc/claviger/softhsm2.conf"));
  plan.pin_file = Absolute(text(kPinFileOption, "/etc/claviger/pins/main"));
  plan.run_folder = Absolute(text(kRunFolder, "/run"));
  plan.http = text(kHttp, "");
  plan.given = TokenOf(arguments);
  plan.for_new_token =
      FirstGiven(arguments, {kTokenFolder, kTokenLabel, kSoftHsmConf});
  plan.for_given_token = FirstGiven(
      arguments, {kTokenOption, kQuirksOption, kModuleParametersOption,
                  kAcceptRiskOption, kAdoptToken});
  plan.adopt_token = arguments.Has(kAdoptToken);
  plan.shareable = arguments.Has(kShareable);
  plan.user = text(kUser, "claviger");
  plan.hsm_user = text(kHsmUser, "claviger-hsm");
  plan.credential_file = text(kCredentialFile, "");
  plan.systemd_credential = !arguments.Has(kPinFileOption);
  return plan;
}

base::Status CheckPlan(const Plan& plan) {
  RETURN_IF_ERROR(CheckWords(plan));
  RETURN_IF_ERROR(CheckToken(plan));
  RETURN_IF_ERROR(CheckFresh(plan));
  return CheckUsers(plan);
}

}  // namespace tools::claviger
