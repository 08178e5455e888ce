// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_STORE_ROWS_H_
#define KMS_STORE_ROWS_H_

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "kms/store/columns.h"
#include "kms/store/connection.h"
#include "kms/store/store.h"

// From the rows of a statement to values and pages of them.
namespace kms::store {

// Takes every row through `take`, which reads one T from its columns.
template <typename T>
base::Result<std::vector<T>> TakeAll(base::Result<Rows> rows,
                                     std::string_view table,
                                     T (*take)(Columns&)) {
  RETURN_IF_ERROR(rows);
  std::vector<T> items;
  items.reserve(rows->size());
  for (Row& row : *rows) {
    Columns columns(table, row);
    items.push_back(take(columns));
    RETURN_IF_ERROR(columns.Done());
  }
  return items;
}

// Reads one row more than the page holds, to know whether more follow.
template <typename T>
base::Result<Page<T>> ToPage(base::Result<std::vector<T>> items, int limit) {
  RETURN_IF_ERROR(items);
  Page<T> page;
  page.truncated = items->size() > static_cast<std::size_t>(limit);
  if (page.truncated) {
    items->resize(limit);
  }
  page.items = *std::move(items);
  return page;
}

inline base::Status CheckLimit(int limit) {
  if (limit < 1) {
    return base::Error{base::ErrorCode::kInvalidArgument,
                       "store: a page holds at least one item"};
  }
  return {};
}

}  // namespace kms::store

#endif  // KMS_STORE_ROWS_H_
