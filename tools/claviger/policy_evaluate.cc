// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <deque>
#include <future>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "base/bytes.h"
#include "policy/evaluate_case.h"
#include "tools/claviger/files.h"
#include "tools/claviger/line_reader.h"
#include "tools/claviger/verb.h"

namespace tools::claviger {
namespace {

constexpr std::size_t kMaxLineBytes = 4U << 20;
constexpr std::string_view kTooLong =
    R"({"id":null,"error":"the line is longer than 4 MiB"})";
// Some milliseconds of work: a thread for each costs nothing that shows.
constexpr std::size_t kBatchBytes = 256U << 10;

// The answers to a batch, in its order.
struct Answers {
  std::string lines;
  bool all_cases = true;
};

bool IsBlank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

Answers AnswerBatch(std::string_view batch) {
  Answers answers;
  ForEachLine(batch, [&](std::string_view line) {
    if (IsBlank(line)) {
      return;
    }
    const policy::CaseAnswer answer =
        line.size() > kMaxLineBytes ? policy::CaseAnswer{std::string(kTooLong)}
                                    : policy::AnswerCase(line);
    answers.lines.append(answer.line).append("\n");
    answers.all_cases &= answer.is_case;
  });
  return answers;
}

// Batches are answered by threads of their own, and written in their order.
class Pipeline {
 public:
  bool empty() const { return pending_.empty(); }
  bool full() const { return pending_.size() >= most_; }
  bool all_cases() const { return all_cases_; }

  void Add(std::string batch) {
    // libstdc++ answers in Write() where no thread is to be had.
    pending_.push_back(
        std::async(std::launch::async | std::launch::deferred,
                   [batch = std::move(batch)] { return AnswerBatch(batch); }));
  }

  // Waits for the oldest batch and writes its answers. Not if it is empty.
  base::Status Write() {
    const Answers answers = pending_.front().get();
    pending_.pop_front();
    all_cases_ &= answers.all_cases;
    return WriteAll(STDOUT_FILENO, base::AsBytes(answers.lines));
  }

 private:
  // One more than can run, so that none waits for the writing.
  const std::size_t most_ =
      std::max(std::thread::hardware_concurrency(), 1U) + 1;
  std::deque<std::future<Answers>> pending_;
  bool all_cases_ = true;
};

bool InputIsReady() {
  pollfd input = {STDIN_FILENO, POLLIN, 0};
  return poll(&input, 1, 0) > 0;
}

base::Result<int> RunPolicyEvaluate(const Arguments& /*arguments*/) {
  // Before a file is opened, which would take its number.
  if (fcntl(STDOUT_FILENO, F_GETFD) < 0) {
    return SystemError("standard output");
  }
  std::signal(SIGPIPE, SIG_IGN);  // Writing says what is wrong.
  ASSIGN_OR_RETURN(const InputFile input, InputFile::Open("-"));
  LineReader reader(input.source(), InputIsReady, {kBatchBytes, kMaxLineBytes});
  Pipeline pipeline;
  while (!reader.at_end() || !pipeline.empty()) {
    // Whoever waits for an answer before asking on gets it.
    const bool must_write =
        reader.at_end() || pipeline.full() || !InputIsReady();
    if (!pipeline.empty() && must_write) {
      RETURN_IF_ERROR(pipeline.Write());
      continue;
    }
    ASSIGN_OR_RETURN(std::string batch, reader.Read());
    if (!batch.empty()) {
      pipeline.Add(std::move(batch));
    }
  }
  return pipeline.all_cases() ? kExitSuccess : kExitRefused;
}

}  // namespace

Verb PolicyEvaluateVerb() {
  return {"policy evaluate",
          "Decides written cases of standard input, one a line, without a "
          "server",
          {},
          RunPolicyEvaluate};
}

}  // namespace tools::claviger
