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

base::Result<Canary> Canary::Make(Sessions& sessions, const Profile& profile) {
  Canary canary(sessions);
  if (!profile.encrypts()) {
    RETURN_IF_ERROR(canary.CheckRandom());
    return canary;
  }
  ASSIGN_OR_RETURN(
      canary.key_,
      sessions.anchor()
          .GenerateKey(CKM_AES_KEY_GEN, MessageKeyTemplate(profile.attributes))
          .Take());
  ASSIGN_OR_RETURN(canary.song_,
                   SealGcm(sessions, *canary.key_, kIv, {}, kMessage));
  return canary;
}

base::Status Canary::Check() {
  base::Status state = CheckState(*sessions_);
  if (!state.has_value()) {
    return Error{ErrorCode::kHsmUnavailable, state.error().message};
  }
  return key_ ? CheckSong() : CheckRandom();
}

base::Status Canary::CheckSong() {
  const auto song = SealGcm(*sessions_, *key_, kIv, {}, kMessage);
  if (!song.has_value()) {
    return Error{ErrorCode::kHsmUnavailable, song.error().message};
  }
  if (song->iv != song_.iv) {
    return CheckOpens(*song);
  }
  if (song->ciphertext != song_.ciphertext) {
    return Error{ErrorCode::kHsmUnavailable,
                 "the token encrypts otherwise than it did at start"};
  }
  return {};
}

base::Status Canary::CheckOpens(const GcmSealed& song) {
  const auto message = OpenGcm(*sessions_, *key_, song.iv, {}, song.ciphertext);
  if (message.has_value() &&
      base::ConstantTimeEqual(message->Reveal(), kMessage)) {
    return {};
  }
  return Error{ErrorCode::kHsmUnavailable,
               "the token does not decrypt what it encrypts"};
}

base::Status Canary::CheckRandom() {
  ASSIGN_OR_RETURN(Session* const session, sessions_->Working());
  base::Secret bytes(kMessage.size());
  const base::Status drawn = session->Random(bytes.Reveal()).Done();
  if (!drawn.has_value()) {
    return Error{ErrorCode::kHsmUnavailable, drawn.error().message};
  }
  if (base::ConstantTimeEqual(bytes.Reveal(), kMessage)) {
    return Error{ErrorCode::kHsmUnavailable,
                 "the token gives zeros for random bytes"};
  }
  return {};
}

}  // namespace hsm::token
