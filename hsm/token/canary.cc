// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/canary.h"

#include <utility>

#include "hsm/token/attributes.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

// The key serves this one message, so its IV may be the same each time.
constexpr Iv kIv{};
constexpr std::array<std::uint8_t, 16> kMessage{};

base::Status CheckState(Sessions& sessions) {
  ASSIGN_OR_RETURN(Session* const session, sessions.Working());
  ASSIGN_OR_RETURN(const CK_STATE state, session->State().Take());
  if (state != CKS_RW_USER_FUNCTIONS) {
    return Error{ErrorCode::kHsmUnavailable, "the session is not logged in"};
  }
  return {};
}

}  // namespace

base::Result<Canary> Canary::Make(Sessions& sessions,
                                  const AttributeSupport& support) {
  ASSIGN_OR_RETURN(
      const ObjectHandle key,
      sessions.anchor()
          .GenerateKey(CKM_AES_KEY_GEN, MessageKeyTemplate(support))
          .Take());
  ASSIGN_OR_RETURN(base::Bytes song, SealGcm(sessions, key, kIv, {}, kMessage));
  return Canary(sessions, key, std::move(song));
}

base::Status Canary::Check() {
  base::Status state = CheckState(*sessions_);
  if (!state.has_value()) {
    return Error{ErrorCode::kHsmUnavailable, state.error().message};
  }
  const auto song = SealGcm(*sessions_, key_, kIv, {}, kMessage);
  if (!song.has_value()) {
    return Error{ErrorCode::kHsmUnavailable, song.error().message};
  }
  if (*song != song_) {
    return Error{ErrorCode::kHsmUnavailable,
                 "the token encrypts otherwise than it did at start"};
  }
  return {};
}

}  // namespace hsm::token
