// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGER_INIT_PLAN_H_
#define TOOLS_CLAVIGER_INIT_PLAN_H_

#include <span>
#include <string>

#include "base/result.h"
#include "tools/claviger/verb.h"
#include "tools/config/config.h"

namespace tools::claviger {

// A Plan is where `claviger init` puts everything, and to whom it gives it.
struct Plan {
  std::string config_file;
  std::string state;
  std::string account;
  std::string token_folder;
  std::string token_label;
  std::string softhsm_conf;
  std::string pin_file;
  std::string run_folder;
  std::string http;
  std::string user;
  std::string hsm_user;
  std::string credential_file;  // Empty: print it.
  // The token that is there already, and how to open it; without a module, one
  // of SoftHSM is made.
  config::KeyStore given;
  // The first option given that is only for a new token; only for that one.
  std::string for_new_token;
  std::string for_given_token;
  bool adopt_token = false;         // Although it holds keys of another store.
  bool shareable = false;           // The key that wraps; and it wraps all.
  bool systemd_credential = false;  // The unit hands the PIN on.

  bool makes_token() const { return given.module.empty(); }

  // Written once the token is whole.
  std::string token_mark() const { return pin_file + ".token-made"; }
};

// The options that make a plan.
std::span<const Option> PlanOptions();

Plan PlanOf(const Arguments& arguments);

// Says everything that is wrong with a plan before anything is done, and
// changes nothing.
base::Status CheckPlan(const Plan& plan);

}  // namespace tools::claviger

#endif  // TOOLS_CLAVIGER_INIT_PLAN_H_
