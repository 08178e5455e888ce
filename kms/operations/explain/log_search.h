// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_EXPLAIN_LOG_SEARCH_H_
#define KMS_OPERATIONS_EXPLAIN_LOG_SEARCH_H_

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

// Reading the audit log while the server writes it. The io thread serves others
// between pieces. The chain is not checked: that is `claviger audit verify`'s.
namespace kms::operations {

// How much of a log one search reads.
inline constexpr std::uint64_t kMostSearchedBytes = 1ULL << 30;

// The record whose eventID is `event_id`, in the newest segments first. Fails
// with kNotFound, also if it was not reached.
boost::asio::awaitable<base::Result<std::string>> FindEvent(
    std::string folder, std::string event_id);

// The same answer for what is not there, and for what is another account's.
base::Error NoSuchEvent(std::string_view event_id);

// Lets others of the io thread run.
boost::asio::awaitable<void> Pause();

struct LogRange {
  base::WallTime since{};   // Whole segments before it are passed over.
  std::uint64_t after = 0;  // So are records up to this one.
  std::string needle = {};  // And lines without this text.
};

struct LogEnd {
  std::uint64_t last = 0;  // The last record that was looked at.
  bool complete = true;    // The log ends there.
};

// Calls `each` with the records of a range, oldest first, until it returns
// false or enough has been read.
boost::asio::awaitable<base::Result<LogEnd>> WalkLog(
    std::string folder, LogRange range,
    std::function<base::Result<bool>(std::string_view line)> each);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_EXPLAIN_LOG_SEARCH_H_
