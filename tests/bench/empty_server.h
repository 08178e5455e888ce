// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_BENCH_EMPTY_SERVER_H_
#define TESTS_BENCH_EMPTY_SERVER_H_

namespace bench {

// Serves kms::http::HttpServer with a handler that does nothing on 127.0.0.1:
// the most that the HTTP stack can give. Writes its port and a line break to
// `out`, then serves until the process ends.
void ServeNothing(int out);

}  // namespace bench

#endif  // TESTS_BENCH_EMPTY_SERVER_H_
