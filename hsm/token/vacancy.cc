// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/vacancy.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "hsm/token/attributes.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

// What was half made by a kill says nothing of itself: it counts.
bool IsOurs(const ListedKey& key) {
  return !key.readable ||
         (key.id.size() == sizeof(Locator) && key.label == kLabel);
}

}  // namespace

base::Status CheckVacancy(TokenConfig config, Tenants tenants,
                          const base::Clock& clock) {
  config.must_encrypt = true;
  ASSIGN_OR_RETURN(const auto token, Token::Open(std::move(config), clock));
  if (tenants == Tenants::kAccept) {
    return {};
  }
  ASSIGN_OR_RETURN(const Capabilities capabilities,
                   token->Execute(CapabilitiesRequest{}));
  ASSIGN_OR_RETURN(const ListKeysReply listed,
                   token->Execute(ListKeysRequest{}));
  const auto ours = std::ranges::find_if(listed.keys, IsOurs);
  if (ours == listed.keys.end()) {
    return {};
  }
  return Error{
      ErrorCode::kAlreadyExists,
      fmt::format(
          "the token \"{}\" (serial {}) holds {} keys of another store, "
          "the first with CKA_ID {}. If that store still exists, start "
          "its server, or name another token; if these keys are to be "
          "left as they are beside those of a new store, add "
          "--adopt-token",
          capabilities.token_label, capabilities.token_serial,
          std::ranges::count_if(listed.keys, IsOurs),
          ours->id.empty() ? "unreadable" : base::HexEncode(ours->id))};
}

}  // namespace hsm::token
