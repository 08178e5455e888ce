// SPDX-License-Identifier: Apache-2.0
#include "hsm/worker_set.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "hsm/socket.h"

namespace hsm {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{50};
constexpr milliseconds kLongestPause{10'000};
// A worker that served this long did not die of how it was started.
constexpr milliseconds kHealthy{30'000};

// What may pass by itself. Everything else (the PIN is wrong, the token is
// unfit, the configuration is bad) stays until somebody changes something.
bool MayPass(base::ErrorCode code) {
  using enum base::ErrorCode;
  return code == kHsmUnavailable || code == kBusy || code == kTimeout ||
         code == kIo || code == kNotFound;
}

// Generations of two runs of claviger-hsm never meet.
Generation FirstGeneration() {
  std::array<std::uint8_t, 4> bytes{};
  base::RandomBytes(bytes);
  Generation high = 0;
  for (const std::uint8_t byte : bytes) {
    high = high << 8 | byte;
  }
  return high << 32;
}

// Of all workers but the first, which is kept free of long calls: where
// processors are few, who waits for an RSA signature must not hold up those who
// wait for a data key (measured: they keep 66 to 73 % of their rate, and 54 %
// without).
constexpr int kNiceness = 5;

// True if the worker has closed its end: it ends, or has ended.
bool HungUp(int control) {
  pollfd polled{control, 0, 0};
  return poll(&polled, 1, 0) > 0 && (polled.revents & POLLHUP) != 0;
}

}  // namespace

WorkerSet::WorkerSet(const SupervisorOptions& options, const base::Clock& clock)
    : options_(options), clock_(clock) {
  const Generation first = FirstGeneration();
  for (int i = 0; i < std::clamp(options.workers, 1, 65); ++i) {
    workers_.push_back({.process = {},
                        .generation = first,
                        .reason = {},
                        .backoff = Backoff(kFirstPause, kLongestPause)});
  }
}

bool WorkerSet::MayStart(const Worker& worker) const {
  const bool somebody_tries = std::ranges::any_of(
      workers_,
      [](const Worker& other) { return other.state == State::kStarting; });
  return worker.state == State::kWaiting && !refused_ &&
         (accepted_ || !somebody_tries);
}

void WorkerSet::Advance() {
  const base::MonotonicTime now = clock_.Monotonic();
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Worker& worker = workers_[i];
    if (worker.state == State::kStarting &&
        now >= worker.since + options_.open_deadline) {
      worker.reason = base::Error{base::ErrorCode::kTimeout,
                                  "a worker did not get ready in time"};
      Kill(worker);
    }
    if (MayStart(worker) && now >= worker.start_at) {
      Start(i);
    }
  }
}

std::optional<base::MonotonicTime> WorkerSet::NextDue() const {
  std::optional<base::MonotonicTime> next;
  for (const Worker& worker : workers_) {
    std::optional<base::MonotonicTime> due;
    if (worker.state == State::kStarting) {
      due = worker.since + options_.open_deadline;
    } else if (MayStart(worker)) {
      due = worker.start_at;
    }
    if (due) {
      next = next ? std::min(*next, *due) : *due;
    }
  }
  return next;
}

void WorkerSet::Start(std::size_t index) {
  Worker& worker = workers_[index];
  ++worker.generation;
  worker.served = false;
  worker.reason.reset();
  auto process = StartWorker(options_.prepare, index == 0 ? 0 : kNiceness);
  if (!process) {
    worker.reason = process.error();
    worker.start_at = clock_.Monotonic() + worker.backoff.Next();
    return;
  }
  worker.process = *std::move(process);
  Enter(worker, State::kStarting);
}

void WorkerSet::Enter(Worker& worker, State state) {
  const base::MonotonicTime now = clock_.Monotonic();
  if (worker.state == State::kReady && now >= worker.since + kHealthy) {
    worker.backoff.Reset();
  }
  worker.served |= state == State::kReady;
  worker.state = state;
  worker.since = now;
}

int WorkerSet::ReportFd(std::size_t index) const {
  const Worker& worker = workers_[index];
  return worker.state == State::kStarting ? worker.process.control.get() : -1;
}

void WorkerSet::OnReport(std::size_t index) {
  Worker& worker = workers_[index];
  const auto packet = ReceivePacket(worker.process.control.get());
  if (!packet && packet.error().code == base::ErrorCode::kBusy) {
    return;
  }
  if (!packet || packet->bytes.empty()) {
    Enter(worker, State::kDying);  // OnGone() will say how it ended.
    return;
  }
  const auto report = DecodeReply(packet->bytes);
  const base::Status status =
      report ? report->status : base::Status(report.error());
  if (status) {
    accepted_ = true;
    Enter(worker, State::kReady);
    base::LogInfo("{}: worker {} is ready (pid {})", options_.key_store, index,
                  worker.process.pid);
    return;
  }
  worker.reason = status.error();
  Enter(worker, State::kDying);
  const bool final = !MayPass(status.error().code);
  if (final) {
    refused_ = status.error();
  }
  base::LogError(
      "{}: worker {} cannot start: {}{}", options_.key_store, index,
      status.error().message,
      final ? " (no further attempt before SIGHUP or a restart)" : "");
}

void WorkerSet::Reap() {
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    int wait_status = 0;
    if (workers_[i].state != State::kWaiting &&
        waitpid(workers_[i].process.pid, &wait_status, WNOHANG) ==
            workers_[i].process.pid) {
      // Its last words may still be in the socket.
      if (workers_[i].state == State::kStarting) {
        OnReport(i);
      }
      OnGone(i, wait_status);
    }
  }
}

void WorkerSet::OnGone(std::size_t index, int wait_status) {
  Worker& worker = workers_[index];
  // Perhaps the token has another PIN now: one worker finds out.
  accepted_ = false;
  if (worker.served && !stopping_) {
    base::LogWarning("{}: worker {} {}", options_.key_store, index,
                     DescribeExit(wait_status));
  }
  if (!worker.served && !worker.reason && !stopping_) {
    worker.reason = base::Error{
        base::ErrorCode::kHsmUnavailable,
        "a worker " + DescribeExit(wait_status) + " while it started"};
    base::LogError("{}: {}", options_.key_store, worker.reason->message);
  }
  worker.process = WorkerProcess();
  Enter(worker, State::kWaiting);
  worker.start_at = worker.since + worker.backoff.Next();
}

void WorkerSet::Forgive() {
  refused_.reset();
  accepted_ = false;
  for (Worker& worker : workers_) {
    if (worker.state == State::kWaiting) {
      worker.reason.reset();  // It may not be true any more.
    }
    worker.backoff.Reset();
    worker.start_at = clock_.Monotonic();
  }
}

base::Result<std::optional<Fd>> WorkerSet::Connect(std::size_t index) {
  Worker& worker = workers_[index];
  if (worker.state == State::kReady && HungUp(worker.process.control.get())) {
    Enter(worker, State::kDying);  // OnGone() will start its successor.
  }
  if (worker.state == State::kReady) {
    ASSIGN_OR_RETURN(SocketPair pair, MakeSocketPair(SOCK_STREAM));
    const std::array<std::uint8_t, 1> hello = {1};
    RETURN_IF_ERROR(
        SendPacket(worker.process.control.get(), hello, pair.theirs.get()));
    return std::optional<Fd>(std::move(pair.ours));
  }
  if (worker.state != State::kStarting && worker.reason) {
    return *worker.reason;
  }
  if (worker.state != State::kStarting && refused_) {
    return *refused_;
  }
  return std::optional<Fd>();
}

Generation WorkerSet::GenerationOf(std::size_t index) const {
  return workers_[index].generation;
}

bool WorkerSet::Replace(std::size_t index, Generation generation) {
  Worker& worker = workers_[index];
  if (generation != kWhicheverServes && generation != worker.generation) {
    return true;
  }
  if (worker.state == State::kReady) {
    base::LogWarning("{}: worker {} is replaced", options_.key_store, index);
    Kill(worker);
  }
  return worker.state != State::kDying;
}

void WorkerSet::Kill(Worker& worker) {
  kill(worker.process.pid, SIGKILL);
  Enter(worker, State::kDying);
}

bool WorkerSet::AnyProcess() const {
  return std::ranges::any_of(workers_, [](const Worker& worker) {
    return worker.state != State::kWaiting;
  });
}

void WorkerSet::Stop(pid_t parent) {
  stopping_ = true;
  for (Worker& worker : workers_) {
    worker.process.control.Close();
  }
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  const timespec slice = {0, 100'000'000};
  const base::MonotonicTime start = clock_.Monotonic();
  for (Reap(); AnyProcess(); Reap()) {
    sigtimedwait(&child, nullptr, &slice);
    KillLate(std::chrono::floor<milliseconds>(clock_.Monotonic() - start),
             getppid() != parent);
  }
}

// One that is opening its token is given all the time there is: it may be in
// C_Login.
void WorkerSet::KillLate(milliseconds waited, bool orphaned) {
  for (Worker& worker : workers_) {
    const milliseconds patience = orphaned && worker.state != State::kStarting
                                      ? options_.orphan_patience
                                      : options_.stop_patience;
    if (worker.state != State::kWaiting && waited >= patience) {
      kill(worker.process.pid, SIGKILL);
      waitpid(worker.process.pid, nullptr, 0);
      Enter(worker, State::kWaiting);
    }
  }
}

}  // namespace hsm
