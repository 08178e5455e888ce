// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_CLIENT_EXECUTE_H_
#define HSM_CLIENT_EXECUTE_H_

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <utility>

#include "hsm/client/pool.h"
#include "hsm/client/reach.h"

namespace hsm::client::internal {

// Sends `request` to `token`; null: to any. The request and the reply stay in
// this coroutine's frame; the pool has pointers to them until it calls `done`.
template <typename Request>
Awaitable<ReplyTo<Request>> ExecuteOn(std::shared_ptr<Pool> pool,
                                      PoolToken* token, Request request) {
  CO_RETURN_IF_ERROR(pool->Admit(RowFor(request), token));
  ReplyTo<Request> reply;
  auto submit = [&pool, token,
                 call = MakeCall(request, reply)](auto done) mutable {
    call.token = token;
    call.done = std::move(done);
    pool->Submit(std::move(call));
  };
  CO_RETURN_IF_ERROR((
      co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>,
                                           void(base::Status)>(
          std::move(submit), boost::asio::use_awaitable)));
  co_return base::Result<ReplyTo<Request>>(std::move(reply));
}

}  // namespace hsm::client::internal

#endif  // HSM_CLIENT_EXECUTE_H_
