// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_STORE_SQL_ERROR_H_
#define KMS_STORE_SQL_ERROR_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error_code.h"

namespace kms::store {

// What kind of failure a database reports, whichever database it is.
enum class SqlError : std::uint8_t {
  kUnique,         // A row with this key exists.
  kReference,      // A row that this one refers to does not exist.
  kSerialization,  // A conflict with another transaction: run it again.
  kBusy,           // Somebody else has held the lock for too long.
  kConnection,     // The database cannot be reached or opened.
  kStorage,        // The disk is full or fails.
  kDamaged,        // What the database read from disk cannot be right.
  kOther,          // Anything else: a bug.
};

// The one translation of SqlError; total.
base::ErrorCode CodeOf(SqlError error);

// Whether an error of this kind concerns one statement only, not the database.
bool IsOfStatement(SqlError error);

// Whether running the whole transaction again can help.
bool IsTransient(SqlError error);

// The kind of an SQLite result code, extended or not.
SqlError ClassOf(int code);

// What an operator reads: what to do about it, for the store at `path`, and
// `detail`, the database's own words.
std::string Explain(int code, std::string_view path, std::string_view detail);

}  // namespace kms::store

#endif  // KMS_STORE_SQL_ERROR_H_
