// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_CLIENT_CALL_ON_H_
#define HSM_CLIENT_CALL_ON_H_

#include <string>
#include <utility>

#include "hsm/client/client.h"
#include "hsm/client/execute.h"

// The definition of Client::CallOn, for those who use it.
namespace hsm::client {

template <typename Request>
Awaitable<ReplyTo<Request>> Client::CallOn(std::string token, Request request) {
  const std::shared_ptr<Pool> pool = pool_;
  CO_ASSIGN_OR_RETURN(PoolToken* const found, pool->FindToken(token));
  co_return co_await internal::ExecuteOn(pool, found, std::move(request));
}

}  // namespace hsm::client

#endif  // HSM_CLIENT_CALL_ON_H_
