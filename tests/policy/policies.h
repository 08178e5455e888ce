// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_POLICY_POLICIES_H_
#define TESTS_POLICY_POLICIES_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "policy/decide.h"
#include "policy/policy.h"

// Short ways to write policies and requests in tests.
namespace policy {

inline constexpr std::string_view kAccount = "111122223333";
inline constexpr std::string_view kOtherAccount = "444455556666";
inline constexpr std::string_view kKeyArn =
    "arn:aws:kms:eu-west-1:111122223333:key/"
    "1234abcd-12ab-34cd-56ef-1234567890ab";
inline constexpr std::string_view kAliasArn =
    "arn:aws:kms:eu-west-1:111122223333:alias/a";
inline constexpr std::string_view kAlice =
    "arn:aws:iam::111122223333:user/alice";
inline constexpr std::string_view kRoot = "arn:aws:iam::111122223333:root";
inline constexpr std::string_view kRole =
    "arn:aws:iam::111122223333:role/app/r";
inline constexpr std::string_view kSession =
    "arn:aws:sts::111122223333:assumed-role/r/s";
inline constexpr std::string_view kFederated =
    "arn:aws:sts::111122223333:federated-user/f";
inline constexpr std::string_view kStranger =
    "arn:aws:iam::444455556666:user/mallory";

// A document of Version 2012-10-17 with these statements, which are JSON.
std::string Document(std::string_view statements);

// `Effect`, then members of a statement.
std::string Allow(std::string_view members);
std::string Deny(std::string_view members);

// A statement of a key policy: `"Principal":PRINCIPAL,"Action":...` on "*".
std::string For(std::string_view principal, std::string_view action = "kms:*");

// Compiles, or ends the program.
Policy Compiled(PolicyKind kind, std::string_view document);

// Requests of the callers above, for kms:Decrypt on kKeyArn.
Request FromAlice();
Request FromRoot();
Request FromSession();
Request FromFederatedUser();
Request FromStranger();
Request FromService(std::string_view service);

// An Authority that owns its policies. Not copyable: it views itself.
class Rules {
 public:
  Rules() = default;
  Rules(const Rules&) = delete;
  Rules& operator=(const Rules&) = delete;

  // Statements of one more policy of the layer; of the levels, of one more
  // level.
  Rules& Key(std::string_view statements);
  Rules& Trust(std::string_view statements);
  Rules& Identity(std::string_view statements);
  Rules& Boundary(std::string_view statements);
  Rules& Session(std::string_view statements);
  Rules& ServiceControl(std::string_view statements);
  Rules& ResourceControl(std::string_view statements);
  Rules& With(Grant grant);

  Authority authority() const;
  Decision Decide(const Request& request) const;
  Verdict VerdictOn(const Request& request) const;

 private:
  struct Layer {
    std::vector<std::unique_ptr<Policy>> policies;
    std::vector<const Policy*> pointers;
    void Add(PolicyKind kind, std::string_view statements);
  };

  std::unique_ptr<Policy> resource_;
  Layer identity_;
  Layer boundary_;
  Layer session_;
  Layer service_control_;
  Layer resource_control_;
  mutable std::vector<PolicySet> service_control_levels_;
  mutable std::vector<PolicySet> resource_control_levels_;
  std::vector<Grant> grants_;
};

}  // namespace policy

#endif  // TESTS_POLICY_POLICIES_H_
