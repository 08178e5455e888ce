// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/load.h"

#include <fmt/format.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <string>

#include "hsm/fd.h"
#include "tests/bench/answering_connection.h"

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;
using base::Error;
using base::ErrorCode;

Error SystemError(const char* what) {
  return {ErrorCode::kIo, std::string(what) + ": " + std::strerror(errno)};
}

// A Generator is one run of a LoadPlan.
class Generator {
 public:
  explicit Generator(const LoadPlan& plan) : plan_(plan) {}

  base::Result<LoadResult> Run();

 private:
  base::Status Connect();
  base::Status Step(Clock::time_point now);
  base::Status SendDue(Clock::time_point now);
  base::Status Send(std::size_t index, Clock::time_point intended);
  base::Status Receive(std::size_t index);
  base::Status WaitAndReceive(Clock::time_point until);
  void Count(const Answer& answer, Clock::time_point intended,
             Clock::time_point now);
  Clock::time_point IntendedAt(std::uint64_t index) const;

  const LoadPlan& plan_;
  hsm::Fd epoll_;
  std::deque<AnsweringConnection> connections_;
  std::vector<Clock::time_point> intended_;  // Of each connection's request.
  std::vector<std::size_t> idle_;
  Clock::time_point begin_, measured_from_, end_;
  std::uint64_t sent_ = 0;
  LoadResult result_;
};

base::Status Generator::Connect() {
  epoll_ = hsm::Fd(epoll_create1(EPOLL_CLOEXEC));
  if (epoll_.get() < 0) {
    return SystemError("epoll_create1");
  }
  for (std::size_t i = 0; i < plan_.connections; ++i) {
    ASSIGN_OR_RETURN(AnsweringConnection connection,
                     AnsweringConnection::Open(plan_.port, plan_.tls));
    epoll_event event = {.events = EPOLLIN, .data = {.u64 = i}};
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection.fd(), &event) != 0) {
      return SystemError("epoll_ctl");
    }
    connections_.push_back(std::move(connection));
    idle_.push_back(i);
  }
  intended_.resize(plan_.connections);
  return {};
}

base::Result<LoadResult> Generator::Run() {
  RETURN_IF_ERROR(Connect());
  begin_ = Clock::now();
  measured_from_ = begin_ + plan_.warm_up;
  end_ = measured_from_ + plan_.duration;
  bool started = false;
  for (auto now = begin_; now < end_; now = Clock::now()) {
    if (!started && now >= measured_from_) {
      plan_.on_start();
      started = true;
    }
    RETURN_IF_ERROR(SendDue(now));
    RETURN_IF_ERROR(WaitAndReceive(plan_.rate ? IntendedAt(sent_) : end_));
  }
  plan_.on_end();
  result_.seconds = std::chrono::duration<double>(plan_.duration).count();
  std::ranges::sort(result_.latencies_us);
  return std::move(result_);
}

Clock::time_point Generator::IntendedAt(std::uint64_t index) const {
  const std::chrono::duration<double> offset(static_cast<double>(index) /
                                             *plan_.rate);
  return begin_ + std::chrono::duration_cast<Clock::duration>(offset);
}

// In an open loop requests that are due wait for a connection to be idle.
base::Status Generator::SendDue(Clock::time_point now) {
  while (!idle_.empty()) {
    const Clock::time_point intended = plan_.rate ? IntendedAt(sent_) : now;
    if (intended > now) {
      return {};
    }
    const std::size_t index = idle_.back();
    idle_.pop_back();
    RETURN_IF_ERROR(Send(index, intended));
  }
  return {};
}

base::Status Generator::Send(std::size_t index, Clock::time_point intended) {
  intended_[index] = intended;
  ++sent_;
  return connections_[index].Send(plan_.next_request());
}

base::Status Generator::WaitAndReceive(Clock::time_point until) {
  // With no idle connection there is nothing to do until an answer comes.
  until = idle_.empty() ? end_ : std::min(until, end_);
  const auto wait = std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::max(until - Clock::now(), Clock::duration::zero()));
  const timespec limit = {.tv_sec = wait.count() / 1'000'000'000,
                          .tv_nsec = wait.count() % 1'000'000'000};
  std::array<epoll_event, 64> events;
  const int count =
      epoll_pwait2(epoll_.get(), events.data(), static_cast<int>(events.size()),
                   &limit, nullptr);
  if (count < 0 && errno != EINTR) {
    return SystemError("epoll_pwait2");
  }
  for (int i = 0; i < count; ++i) {
    RETURN_IF_ERROR(Receive(events[static_cast<std::size_t>(i)].data.u64));
  }
  return {};
}

base::Status Generator::Receive(std::size_t index) {
  ASSIGN_OR_RETURN(const std::optional<Answer> answer,
                   connections_[index].Receive());
  if (!answer) {
    return {};
  }
  const auto now = Clock::now();
  Count(*answer, intended_[index], now);
  if (!plan_.rate) {
    return Send(index, now);
  }
  idle_.push_back(index);
  return {};
}

void Generator::Count(const Answer& answer, Clock::time_point intended,
                      Clock::time_point now) {
  if (now < measured_from_) {
    return;
  }
  if (answer.status != 200 && result_.failed++ == 0) {
    result_.first_failure = fmt::format("{} {}", answer.status, answer.body);
  }
  const auto took =
      std::chrono::duration_cast<std::chrono::microseconds>(now - intended);
  result_.latencies_us.push_back(static_cast<std::uint32_t>(took.count()));
}

}  // namespace

base::Status LoadResult::Check() const {
  if (failed > 0 || latencies_us.empty()) {
    return Error{ErrorCode::kIo,
                 fmt::format("{} of {} requests failed. The first: {}", failed,
                             latencies_us.size(), first_failure)};
  }
  return {};
}

double LoadResult::Rate() const {
  return static_cast<double>(latencies_us.size()) / seconds;
}

double LoadResult::MillisecondsAt(double share) const {
  if (latencies_us.empty()) {
    return 0;
  }
  const auto last = static_cast<double>(latencies_us.size() - 1);
  return latencies_us[static_cast<std::size_t>(last * share)] / 1000.0;
}

base::Result<LoadResult> Run(const LoadPlan& plan) {
  return Generator(plan).Run();
}

}  // namespace bench
