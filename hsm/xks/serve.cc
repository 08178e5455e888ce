// SPDX-License-Identifier: Apache-2.0
#include "hsm/xks/serve.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/log.h"
#include "hsm/codec.h"
#include "hsm/frame.h"
#include "hsm/operations.h"
#include "hsm/status_codes.h"

namespace hsm::xks {
namespace {

void AppendReply(std::uint32_t slot, const XksReply& reply,
                 base::WipingBytes& out) {
  if (!AppendFrame(slot, kStatusOk, reply, out)) {
    XksReply malformed;
    malformed.outcome = XksOutcome::kMalformed;
    malformed.message = "the proxy's reply does not fit into one of ours";
    static_cast<void>(AppendFrame(slot, kStatusOk, malformed, out));
  }
}

Outcome Ask(Transport& transport, const Frame& frame, Connection& connection) {
  const auto request = Decode<XksRequest>(frame.payload);
  if (!request) {
    return Outcome::kMalformed;
  }
  const auto reply = transport.Ask(
      *request, [slot = frame.slot, asker = connection.weak_from_this()](
                    const base::Result<XksReply>& late) {
        const std::shared_ptr<Connection> there = asker.lock();
        if (there != nullptr && late) {
          AppendReply(slot, *late, there->out());
        } else if (there != nullptr) {
          AppendError(slot, late.error(), there->out());
        }
      });
  if (!reply) {
    AppendError(frame.slot, reply.error(), connection.out());
    return Outcome::kReplied;
  }
  if (!reply->has_value()) {
    return Outcome::kPending;
  }
  AppendReply(frame.slot, **reply, connection.out());
  return Outcome::kReplied;
}

Outcome Execute(Transport& transport, const Frame& frame,
                Connection& connection) {
  if (frame.tag < 1 || frame.tag > kOperationCount) {
    return Outcome::kMalformed;
  }
  if (frame.tag == RowOf<XksRequest>().number) {
    return Ask(transport, frame, connection);
  }
  if (frame.tag != RowOf<HealthRequest>().number) {
    AppendError(frame.slot,
                {base::ErrorCode::kUnsupportedOperation,
                 "this worker has no token: it asks XKS proxies"},
                connection.out());
    return Outcome::kReplied;
  }
  if (!Decode<HealthRequest>(frame.payload)) {
    return Outcome::kMalformed;
  }
  static_cast<void>(
      AppendFrame(frame.slot, kStatusOk, EmptyReply{}, connection.out()));
  return Outcome::kReplied;
}

}  // namespace

WorkerExit Serve(Transport& transport, Fd control) {
  ConnectionSet connections(std::move(control));
  const Connection::ExecuteFn execute = [&transport](const Frame& frame,
                                                     Connection& connection) {
    return Execute(transport, frame, connection);
  };
  for (;;) {
    if (const base::Status waited = transport.Wait(connections.Wanted());
        !waited) {
      base::LogError("{}; this worker ends", waited.error().message);
      return WorkerExit::kSystemError;
    }
    if (const std::optional<WorkerExit> exit = connections.OnReady(execute)) {
      return *exit;
    }
    transport.Advance();
    connections.Flush(execute);
  }
}

}  // namespace hsm::xks
