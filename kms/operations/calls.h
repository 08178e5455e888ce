// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_CALLS_H_
#define KMS_OPERATIONS_CALLS_H_

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "kms/operations/call.h"

namespace kms::operations {

// A Calls makes the Call of each request in memory that is used again: a Call
// and its condition context are the largest pieces that a request takes, of a
// size for which malloc looks through all that was freed. Not synchronised: one
// per io thread.
class Calls {
  struct Slot {
    std::vector<policy::ContextEntry> context;  // Empty; kept for its room.
    std::optional<Call> call;
  };
  using Slots = std::vector<std::unique_ptr<Slot>>;

 public:
  // A Lease owns one Call. It may outlive the Calls.
  class Lease {
   public:
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    Call& call() const { return *slot_->call; }

   private:
    friend class Calls;
    Lease(std::shared_ptr<Slots> idle, std::unique_ptr<Slot> slot)
        : idle_(std::move(idle)), slot_(std::move(slot)) {}

    std::shared_ptr<Slots> idle_;
    std::unique_ptr<Slot> slot_;
  };

  // The arguments are those of Call.
  Lease Make(Environment& environment, const Request& request,
             const Operation& operation);

 private:
  std::shared_ptr<Slots> idle_ = std::make_shared<Slots>();
};

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_CALLS_H_
