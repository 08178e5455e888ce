// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kms/operations/dry_run.h"
#include "kms/operations/grant_token.h"
#include "kms/operations/grants.h"
#include "kms/operations/handlers.h"

namespace kms::operations {
namespace {

using base::Error;
using base::ErrorCode;

Error Invalid(std::string message) {
  return {ErrorCode::kValidation, std::move(message)};
}

std::size_t CharacterCount(std::string_view utf8) {
  return static_cast<std::size_t>(std::ranges::count_if(utf8, [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

base::Status CheckPairs(const std::optional<ContextPairs>& pairs) {
  if (!pairs) {
    return {};
  }
  if (pairs->size() > kMaxContextPairs) {
    return Invalid(
        fmt::format("A grant constraint has at most {} encryption "
                    "context pairs; this one has {}.",
                    kMaxContextPairs, pairs->size()));
  }
  for (const auto& [key, value] : *pairs) {
    if (CharacterCount(value) > kMaxContextValue) {
      return Invalid(
          fmt::format("The value of '{}' in a grant constraint is "
                      "longer than {} characters.",
                      key, kMaxContextValue));
    }
  }
  return {};
}

base::Status CheckConstraints(const GrantConstraints& constraints) {
  if (constraints.context_equals && constraints.context_subset) {
    return Invalid("More than one constraint supplied");
  }
  RETURN_IF_ERROR(CheckPairs(constraints.context_equals));
  return CheckPairs(constraints.context_subset);
}

base::Status CheckPrincipals(const Call& call) {
  RETURN_IF_ERROR(
      CheckOneOf(call, "GranteePrincipal", "GranteeServicePrincipal", true));
  RETURN_IF_ERROR(
      CheckOneOf(call, "RetiringPrincipal", "RetiringServicePrincipal", false));
  RETURN_IF_ERROR(CheckPrincipal(call, "GranteePrincipal"));
  return CheckPrincipal(call, "RetiringPrincipal");
}

// Binds the grant to whom it names. One who does not exist could be made by
// somebody, and would find the grant.
base::Status Bind(const Call& call, Grant& grant) {
  const auto directory = call.environment.directory.current();
  const auto bind = [&](std::string_view member, const std::string& arn,
                        std::string& id) -> base::Status {
    if (arn.empty()) {
      return {};
    }
    auto found = directory->PrincipalIdOf(arn);
    if (!found) {
      return Error{ErrorCode::kInvalidArn,
                   fmt::format("{}: {}", member, found.error().message)};
    }
    id = *std::move(found);
    return {};
  };
  RETURN_IF_ERROR(
      bind("GranteePrincipal", grant.grantee_principal, grant.grantee_id));
  return bind("RetiringPrincipal", grant.retiring_principal, grant.retiring_id);
}

// What a service does it does for somebody's resource, and somebody must be
// able to end it.
base::Status CheckService(const Call& call,
                          const GrantConstraints& constraints) {
  if (call.Find("GranteeServicePrincipal") == nullptr) {
    return {};
  }
  if (constraints.source_arn.empty()) {
    return Invalid(
        "GranteeServicePrincipal requires the grant constraint SourceArn.");
  }
  if (call.Find("RetiringPrincipal") == nullptr &&
      call.Find("RetiringServicePrincipal") == nullptr) {
    return Invalid(
        "GranteeServicePrincipal requires RetiringPrincipal or "
        "RetiringServicePrincipal.");
  }
  return {};
}

base::Status CheckSuitsKey(const Grant& grant, const Key& key) {
  const GrantOperations unsuited =
      grant.operations.Without(GrantableOperations(key));
  if (!unsuited.empty()) {
    return Invalid(fmt::format(
        "A grant on {}, which has key spec {} and key usage {}, cannot allow "
        "{}.",
        key.Arn(), KeySpecName(key.spec), KeyUsageName(key.usage),
        GrantOperationsText(unsuited)));
  }
  const bool symmetric =
      KeySpecName(key.spec) == KeySpecName(KeySpec::kSymmetricDefault);
  if (grant.constraints.HasContext() && !symmetric) {
    return Invalid(fmt::format(
        "Encryption context constraints are for symmetric encryption keys "
        "only; {} has key spec {}.",
        key.Arn(), KeySpecName(key.spec)));
  }
  return {};
}

// Adds `grant`, or finds the one that the same name and parameters have made
// before. Runs again from the start if the database asks for it.
base::Status AddGrant(Call& call, const Grant& grant,
                      store::Transaction& transaction) {
  ASSIGN_OR_RETURN(const Key key, transaction.GetKey(grant.key_row_id));
  RETURN_IF_ERROR(CheckState(call.operation.states, key));
  if (!grant.name.empty()) {
    ASSIGN_OR_RETURN(const auto same, transaction.FindSameGrant(grant));
    if (same) {
      call.grant_id = *same;
      return call.Flag("DryRun") ? base::Status(DryRunSucceeded())
                                 : base::Status();
    }
  }
  ASSIGN_OR_RETURN(const std::uint64_t count,
                   transaction.CountGrants(grant.key_row_id));
  if (count >= kMaxGrantsPerKey) {
    return Error{ErrorCode::kLimitExceeded,
                 fmt::format("{} has {} grants already, which is the limit.",
                             key.Arn(), count)};
  }
  if (call.Flag("DryRun")) {
    return DryRunSucceeded();  // As an error: nothing is committed.
  }
  call.grant_id = grant.id;
  return transaction.InsertGrant(grant);
}

}  // namespace

base::Status ValidateCreateGrant(const Call& call) {
  RETURN_IF_ERROR(CheckPrincipals(call));
  const base::Json& operations = *call.Find("Operations");
  if (std::ranges::all_of(operations, [](const base::Json& name) {
        return base::TextOf(name) == "CreateGrant";
      })) {
    return Invalid("Grants must not contain only the CreateGrant operation.");
  }
  const GrantConstraints constraints = RequestedConstraints(call);
  RETURN_IF_ERROR(CheckConstraints(constraints));
  return CheckService(call, constraints);
}

Answer CreateGrant(Call& call) {
  Grant grant = RequestedGrant(call);
  CO_RETURN_IF_ERROR(Bind(call, grant));
  CO_RETURN_IF_ERROR(CheckSuitsKey(grant, *call.key));
  // The grant's token comes first: if there is none, there is no grant.
  std::string token;
  if (!call.Flag("DryRun")) {
    CO_ASSIGN_OR_RETURN(token,
                        co_await MakeGrantToken(call.environment, grant.id));
  }
  auto change = [&call, &grant](store::Transaction& transaction) {
    return AddGrant(call, grant, transaction);
  };
  CO_RETURN_IF_ERROR(co_await call.Commit(change));
  if (call.grant_id != grant.id) {
    CO_ASSIGN_OR_RETURN(
        token, co_await MakeGrantToken(call.environment, call.grant_id));
  }
  Reply reply;
  JsonWriter(reply.body)
      .BeginObject()
      .Text("GrantToken", token)
      .Text("GrantId", call.grant_id)
      .EndObject();
  co_return reply;
}

}  // namespace kms::operations
