// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/signers.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <sstream>

#include "base/result.h"
#include "tests/bench/load.h"
#include "tests/bench/signed_request.h"

namespace bench {
namespace {

// Before and after a slice, whose own warm-up is 300 ms.
constexpr std::chrono::milliseconds kMargin{400};

base::Result<double> Answer(const std::string& question) {
  std::istringstream words(question);
  LoadPlan plan;
  std::int64_t milliseconds = 0;
  std::string body;
  words >> plan.port >> plan.connections >> milliseconds >> body;
  if (!words) {
    return base::Error{base::ErrorCode::kInvalidArgument,
                       "not a question to signers: " + question};
  }
  SignedRequest sign("Sign", body);
  plan.warm_up = {};
  plan.duration = std::chrono::milliseconds(milliseconds) + kMargin;
  plan.next_request = [&sign] { return sign.Bytes(); };
  ASSIGN_OR_RETURN(const LoadResult result, Run(plan));
  RETURN_IF_ERROR(result.Check());
  return result.Rate();
}

}  // namespace

std::string SignersQuestion(std::uint16_t port, std::size_t connections,
                            std::chrono::milliseconds slice,
                            std::string_view body) {
  return fmt::format("{} {} {} {}\n", port, connections, slice.count(), body);
}

void LoadBeside(int in, int out) {
  std::string line;
  for (char c = 0; read(in, &c, 1) == 1;) {
    if (c != '\n') {
      line.push_back(c);
      continue;
    }
    const auto rate = Answer(line);
    line.clear();
    if (!rate) {
      dprintf(out, "%s\n", rate.error().message.c_str());
      return;
    }
    dprintf(out, "%.3f\n", *rate);
  }
}

}  // namespace bench
