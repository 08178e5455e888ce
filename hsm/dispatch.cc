// SPDX-License-Identifier: Apache-2.0
#include "hsm/dispatch.h"

#include <array>
#include <cstddef>
#include <utility>

#include "hsm/codec.h"
#include "hsm/operations.h"
#include "hsm/status_codes.h"

namespace hsm {
namespace {

using Handler = Outcome (*)(token::Token&, const Frame&, base::WipingBytes&);

template <std::size_t kIndex>
Outcome Handle(token::Token& token, const Frame& frame,
               base::WipingBytes& out) {
  using Row = std::tuple_element_t<kIndex, decltype(kOperations)>;
  const auto request = Decode<typename Row::Request>(frame.payload);
  if (!request) {
    return Outcome::kMalformed;
  }
  const base::Result<typename Row::Reply> reply = token.Execute(*request);
  if (!reply) {
    AppendError(frame.slot, reply.error(), out);
    return reply.error().code == base::ErrorCode::kHsmUnavailable
               ? Outcome::kTokenGone
               : Outcome::kReplied;
  }
  const base::Status appended = AppendFrame(frame.slot, kStatusOk, *reply, out,
                                            kOperationRows[kIndex].max_reply);
  if (!appended) {
    AppendError(frame.slot,
                {base::ErrorCode::kLimitExceeded,
                 "the token's answer does not fit into a reply"},
                out);
  }
  return Outcome::kReplied;
}

template <std::size_t... kIndex>
constexpr std::array<Handler, kOperationCount> MakeHandlers(
    std::index_sequence<kIndex...>) {
  return {Handle<kIndex>...};
}

constexpr std::array<Handler, kOperationCount> kHandlers =
    MakeHandlers(std::make_index_sequence<kOperationCount>());

}  // namespace

Outcome Dispatch(token::Token& token, const Frame& frame,
                 base::WipingBytes& out) {
  if (frame.tag < 1 || frame.tag > kOperationCount) {
    return Outcome::kMalformed;
  }
  return kHandlers[frame.tag - 1](token, frame, out);
}

}  // namespace hsm
