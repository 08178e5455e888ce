// SPDX-License-Identifier: Apache-2.0
#include "kms/store/sql_error.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

namespace kms::store {
namespace {

using base::ErrorCode;

constexpr std::array kCodes = {
    std::pair{SqlError::kUnique, ErrorCode::kAlreadyExists},
    std::pair{SqlError::kReference, ErrorCode::kNotFound},
    std::pair{SqlError::kSerialization, ErrorCode::kConflict},
    std::pair{SqlError::kBusy, ErrorCode::kBusy},
    std::pair{SqlError::kConnection, ErrorCode::kStoreUnavailable},
    std::pair{SqlError::kStorage, ErrorCode::kStoreUnavailable},
    std::pair{SqlError::kDamaged, ErrorCode::kCorrupt},
    std::pair{SqlError::kOther, ErrorCode::kInternal},
};

// One row for each SQLite result code that is not SqlError::kOther; an extended
// code is looked up before its primary one. `advice` tells an operator what to
// do; {} is the path of the database.
struct Classified {
  int code;
  SqlError error;
  std::string_view advice;
};
constexpr std::string_view kDamagedAdvice =
    "the store {} is damaged: stop clavigerd, keep a copy of the file, and "
    "restore the newest backup";
constexpr std::string_view kDiskAdvice =
    "the disk under the store {} refuses: look for a quota, a limit of the "
    "file size, or errors in the kernel's log; nothing was changed";
constexpr std::string_view kOpenAdvice =
    "the store {} cannot be opened: check that its folder exists and belongs "
    "to this user";
constexpr std::array kClasses = {
    Classified{SQLITE_CONSTRAINT_PRIMARYKEY, SqlError::kUnique, ""},
    Classified{SQLITE_CONSTRAINT_UNIQUE, SqlError::kUnique, ""},
    Classified{SQLITE_CONSTRAINT_FOREIGNKEY, SqlError::kReference, ""},
    Classified{SQLITE_BUSY_SNAPSHOT, SqlError::kSerialization, ""},
    Classified{SQLITE_BUSY, SqlError::kBusy,
               "another program holds the store {} locked: close it (an "
               "sqlite3 shell, a backup) and try again"},
    Classified{SQLITE_LOCKED, SqlError::kBusy, ""},
    Classified{SQLITE_CANTOPEN, SqlError::kConnection, kOpenAdvice},
    Classified{SQLITE_PERM, SqlError::kConnection, kOpenAdvice},
    Classified{SQLITE_READONLY, SqlError::kConnection,
               "the store {} cannot be written: check the owner and the mode "
               "of the file and its folder, and that the file system is "
               "mounted read-write"},
    Classified{SQLITE_FULL, SqlError::kStorage,
               "the disk under the store {} is full: free some space and try "
               "again; nothing was changed"},
    Classified{SQLITE_IOERR, SqlError::kStorage, kDiskAdvice},
    Classified{SQLITE_NOMEM, SqlError::kStorage, ""},
    Classified{SQLITE_CORRUPT, SqlError::kDamaged, kDamagedAdvice},
    Classified{SQLITE_NOTADB, SqlError::kDamaged, kDamagedAdvice},
};
constexpr Classified kUnclassified{0, SqlError::kOther, ""};

const Classified& Classify(int code) {
  for (const int wanted : {code, code & 0xff}) {
    const auto it = std::ranges::find(kClasses, wanted, &Classified::code);
    if (it != kClasses.end()) {
      return *it;
    }
  }
  return kUnclassified;
}

}  // namespace

base::ErrorCode CodeOf(SqlError error) {
  for (const auto& [from, to] : kCodes) {
    if (from == error) {
      return to;
    }
  }
  std::abort();  // An enumerator without a row: a bug, not an input.
}

bool IsOfStatement(SqlError error) {
  return error == SqlError::kUnique || error == SqlError::kReference ||
         error == SqlError::kOther;
}

bool IsTransient(SqlError error) {
  return error == SqlError::kSerialization || error == SqlError::kBusy;
}

SqlError ClassOf(int code) { return Classify(code).error; }

std::string Explain(int code, std::string_view path, std::string_view detail) {
  const std::string_view advice = Classify(code).advice;
  return fmt::format(
      "{} ({}; SQLite code {})",
      advice.empty() ? "store" : fmt::format(fmt::runtime(advice), path),
      detail, code);
}

}  // namespace kms::store
