// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_SUPERVISOR_PROTOCOL_H_
#define HSM_SUPERVISOR_PROTOCOL_H_

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"

// What clavigerd asks of the supervisor, and what a worker reports to it: one
// message a packet on a SOCK_SEQPACKET socket (docs/protocol/worker.md).
namespace hsm {

// A Generation counts the processes that have been worker N, from 1.
using Generation = std::uint64_t;

// In a kReplace: whichever process is worker N now, if it has served at all.
inline constexpr Generation kWhicheverServes = 0;

struct SupervisorRequest {
  enum class Kind : std::uint8_t {
    // A connection to this worker: its reply carries a stream socket. A worker
    // that is still opening its token is waited for.
    kConnect = 1,
    // Kill this worker, if it is still of that generation, and start another.
    // The reply comes when the process is gone.
    kReplace = 2
  };
  Kind kind = Kind::kConnect;
  std::uint32_t worker = 0;
  Generation generation = kWhicheverServes;  // kReplace only.
};

// The answer to a SupervisorRequest, and a worker's report on its start.
struct SupervisorReply {
  Generation generation = 0;
  base::Status status;  // Its text says why a worker cannot start.
};

base::Bytes EncodeRequest(const SupervisorRequest& request);
base::Bytes EncodeReply(const SupervisorReply& reply);
// Both fail with kCorrupt on anything that the encoders could not have made.
base::Result<SupervisorRequest> DecodeRequest(base::ByteView bytes);
base::Result<SupervisorReply> DecodeReply(base::ByteView bytes);

}  // namespace hsm

#endif  // HSM_SUPERVISOR_PROTOCOL_H_
