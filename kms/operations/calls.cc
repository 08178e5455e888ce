// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/calls.h"

#include <nlohmann/json.hpp>

namespace kms::operations {
namespace {

// After a burst the rest is given back.
constexpr std::size_t kMostIdle = 256;
// Of what a call with a long context leaves, too.
constexpr std::size_t kMostContext = 256;

}  // namespace

Calls::Lease Calls::Make(Environment& environment, const Request& request,
                         const Operation& operation) {
  std::unique_ptr<Slot> slot;
  if (idle_->empty()) {
    slot = std::make_unique<Slot>();
  } else {
    slot = std::move(idle_->back());
    idle_->pop_back();
  }
  Call& call = slot->call.emplace(environment, request, operation);
  call.context = std::move(slot->context);
  return {idle_, std::move(slot)};
}

Calls::Lease::~Lease() {
  slot_->context = std::move(slot_->call->context);
  slot_->context.clear();
  slot_->call.reset();
  if (idle_->size() < kMostIdle && slot_->context.capacity() <= kMostContext) {
    idle_->push_back(std::move(slot_));
  }
}

}  // namespace kms::operations
