// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_BENCH_FILLER_H_
#define TESTS_BENCH_FILLER_H_

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"

namespace bench {

// Adds keys to the store of the server that was in `folder` until `ids` has
// `count`: copies of the first, with ids and locators of their own. Those of a
// wrapped key work; those of a resident one have no object on the token.
base::Status FillStore(const std::string& folder, std::size_t count,
                       std::vector<std::string>& ids);

}  // namespace bench

#endif  // TESTS_BENCH_FILLER_H_
