// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/empty_server.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <string>

#include "kms/http/server.h"

namespace bench {
namespace {

// As long as the answer of GenerateDataKey.
constexpr std::size_t kAnswer = 480;

boost::asio::awaitable<kms::http::HttpResponse> AnswerNothing(
    const kms::http::HttpRequest& /*request*/) {
  kms::http::HttpResponse response;
  response.content_type = "application/x-amz-json-1.1";
  response.body.assign(kAnswer, 'x');
  co_return response;
}

}  // namespace

void ServeNothing(int out) {
  const base::RealClock clock;
  boost::asio::io_context io(1);
  kms::http::HttpServer server(io, clock, {}, AnswerNothing);
  const auto port = server.ListenTcp("127.0.0.1", 0);
  if (port) {
    dprintf(out, "%u\n", static_cast<unsigned>(*port));
    io.run();
  }
}

}  // namespace bench
