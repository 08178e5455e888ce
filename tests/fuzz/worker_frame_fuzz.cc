// SPDX-License-Identifier: Apache-2.0
// Frames from a peer that may be anything, cut into reads of any size: what is
// taken for a message has exactly that spelling.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "hsm/codec.h"
#include "hsm/frame.h"
#include "hsm/operations.h"
#include "hsm/supervisor_protocol.h"

namespace {

void Require(bool ok) {
  if (!ok) {
    std::abort();
  }
}

template <typename Message>
void CheckMessage(base::ByteView payload) {
  const auto message = hsm::Decode<Message>(payload);
  if (!message) {
    Require(message.error().code == base::ErrorCode::kCorrupt);
    return;
  }
  base::WipingBytes again;
  Require(
      hsm::AppendFrame(0, 0, *message, again, hsm::kMaxListing).has_value());
  Require(std::ranges::equal(base::ByteView(again).subspan(hsm::kFrameHeadSize),
                             payload));
}

template <std::size_t kIndex>
void CheckBoth(base::ByteView payload) {
  using Row = std::tuple_element_t<kIndex, decltype(hsm::kOperations)>;
  CheckMessage<typename Row::Request>(payload);
  CheckMessage<typename Row::Reply>(payload);
}

template <std::size_t... kIndex>
void CheckOperation(std::size_t index, base::ByteView payload,
                    std::index_sequence<kIndex...> /*all*/) {
  using Check = void (*)(base::ByteView);
  constexpr std::array<Check, sizeof...(kIndex)> kChecks = {
      CheckBoth<kIndex>...};
  kChecks[index](payload);
}

void CheckFrame(const hsm::Frame& frame) {
  static_cast<void>(hsm::DecodeError(frame));
  if (frame.tag >= 1 && frame.tag <= hsm::kOperationCount) {
    CheckOperation(frame.tag - 1U, frame.payload,
                   std::make_index_sequence<hsm::kOperationCount>());
  }
}

// False if the peer is to be disconnected.
bool TakeFrames(hsm::FrameBuffer& buffer) {
  while (const auto head = buffer.Head()) {
    if (head->length < hsm::kMinFrame || head->length > hsm::kMaxFrame) {
      return false;
    }
    const auto frame = buffer.Take(*head);
    if (!frame) {
      return true;
    }
    CheckFrame(*frame);
  }
  return true;
}

}  // namespace

// The name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* bytes, std::size_t size) {
  base::ByteView rest(bytes, size);
  static_cast<void>(hsm::DecodeRequest(rest));
  static_cast<void>(hsm::DecodeReply(rest));
  if (rest.empty()) {
    return 0;
  }
  const std::size_t most = rest.front() + std::size_t{1};
  rest = rest.subspan(1);
  hsm::FrameBuffer buffer;
  while (!rest.empty()) {
    const auto space = buffer.Space();
    Require(!space.empty());
    const std::size_t now = std::min({most, rest.size(), space.size()});
    std::copy_n(rest.begin(), now, space.begin());
    buffer.Filled(now);
    rest = rest.subspan(now);
    if (!TakeFrames(buffer)) {
      break;
    }
  }
  return 0;
}
