// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_AT_ONCE_H_
#define KMS_OPERATIONS_AT_ONCE_H_

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <vector>

// Several things that must not wait for each other.
namespace kms::operations {

// Awaits all tasks, at most `most` at a time, on the caller's io thread, which
// is one. They begin in this order, and all have ended when this returns, also
// when it is cancelled: what they borrow of the caller stays until then.
boost::asio::awaitable<void> RunAtOnce(
    std::vector<boost::asio::awaitable<void>> tasks, std::size_t most);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_AT_ONCE_H_
