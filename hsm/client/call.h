// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_CLIENT_CALL_H_
#define HSM_CLIENT_CALL_H_

#include <chrono>
#include <cstdint>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/wiping.h"
#include "hsm/client/done_handler.h"
#include "hsm/frame.h"
#include "hsm/operations.h"

namespace hsm::client {

struct PoolToken;

// A Call is one request on its way: waiting in a queue, then in a slot of a
// Link. The request and the place of its reply stay in the frame of the
// coroutine that awaits them; `done` owns that frame, so they live as long.
struct Call {
  const OperationRow* row = nullptr;
  const void* request = nullptr;
  void* reply = nullptr;
  // Appends the frame of *request to `out`.
  base::Status (*encode)(const void* request, std::uint32_t slot,
                         base::WipingBytes& out) = nullptr;
  // Fills *reply; fails if `payload` is not one.
  base::Status (*decode)(base::ByteView payload, void* reply) = nullptr;
  // Told when the reply is in its place, or why there is none.
  DoneHandler<base::Status> done;
  // The token that it needs; null: any.
  PoolToken* token = nullptr;
  bool submitted = false;  // By a caller; else it is the pool's own question.
  // Whether another worker may get it if its own dies.
  bool may_repeat = false;
  // The token whose worker died with it. When a token goes, its other workers
  // go with it a moment later.
  const PoolToken* avoids = nullptr;
  base::MonotonicTime issued{};
  base::MonotonicTime due{};  // Set when it is sent.
  // How much longer than its row says it may take.
  std::chrono::milliseconds patience{0};
};

// The call that sends `request` and fills `reply`; both are borrowed.
template <typename Request>
Call MakeCall(const Request& request, ReplyTo<Request>& reply) {
  Call call;
  call.row = &RowFor(request);
  call.request = &request;
  call.reply = &reply;
  call.encode = [](const void* message, std::uint32_t slot,
                   base::WipingBytes& out) {
    return AppendFrame(slot, RowOf<Request>().number,
                       *static_cast<const Request*>(message), out);
  };
  call.decode = [](base::ByteView payload, void* place) -> base::Status {
    ASSIGN_OR_RETURN(*static_cast<ReplyTo<Request>*>(place),
                     Decode<ReplyTo<Request>>(payload));
    return {};
  };
  return call;
}

}  // namespace hsm::client

#endif  // HSM_CLIENT_CALL_H_
