// SPDX-License-Identifier: Apache-2.0
#include "kms/store/writer.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/log.h"

namespace kms::store {
namespace {

// Bounds how long the first change of a group waits for the last.
constexpr std::size_t kMaxGroup = 128;
constexpr std::size_t kMaxForgotten = 1024;

// Moves the first `count` items, or all, from one vector to the end of another.
template <typename T>
void MoveFirst(std::size_t count, std::vector<T>& from, std::vector<T>& to) {
  const auto end = from.begin() + std::min(count, from.size());
  std::move(from.begin(), end, std::back_inserter(to));
  from.erase(from.begin(), end);
}

}  // namespace

Writer::Writer(std::unique_ptr<Connection> connection, Options options)
    : connection_(std::move(connection)),
      options_(std::move(options)),
      revision_(options_.revision),
      thread_([this] { Run(); }) {}

Writer::~Writer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Writer::Enqueue(Store::Change change, Completion completion) {
  ++waiting_;
  {
    const std::lock_guard lock(mutex_);
    changes_.push_back({std::move(change), std::move(completion)});
  }
  changed_.notify_one();
}

void Writer::ForgetOutbox(std::string event_id) {
  const std::lock_guard lock(mutex_);
  forgotten_.push_back(std::move(event_id));
  if (forgotten_.size() == 1) {
    changed_.notify_one();  // Starts the wait for a change to go with.
  }
}

void Writer::Run() {
  Work work;
  while (WaitForWork(work)) {
    Process(std::move(work));
    work = {};
  }
}

// False when there is nothing left to do, ever.
bool Writer::WaitForWork(Work& work) {
  const auto due = [this] { return !changes_.empty() || stopping_; };
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return due() || !forgotten_.empty(); });
  if (!due()) {
    changed_.wait_for(lock, options_.outbox_idle, due);
  }
  Take(work);
  return !work.changes.empty() || !work.forgotten.empty();
}

// Called with mutex_ held.
void Writer::Take(Work& work) {
  MoveFirst(kMaxGroup, changes_, work.changes);
  MoveFirst(kMaxForgotten, forgotten_, work.forgotten);
}

void Writer::Process(Work work) {
  std::vector<const Store::Change*> changes;
  for (const Pending& pending : work.changes) {
    changes.push_back(&pending.change);
  }
  base::Result<Committed> done =
      Commit(*connection_, {.changes = changes,
                            .forgotten = work.forgotten,
                            .revision = revision_.load()});
  if (done.has_value()) {
    revision_.store(done->revision);
    options_.on_commit(done->touched);
  } else {
    KeepForgotten(std::move(work.forgotten));
  }
  NoteHealth(done);
  for (std::size_t i = 0; i < work.changes.size(); ++i) {
    // The change may hold what its caller expects to be gone by now.
    work.changes[i].change = nullptr;
    --waiting_;
    std::move(work.changes[i].completion)(done.has_value()
                                              ? std::move(done->results[i])
                                              : base::Status(done.error()));
  }
}

// Their deletion goes with a later commit, or else they are found again by the
// next start.
void Writer::KeepForgotten(std::vector<std::string> forgotten) {
  const std::lock_guard lock(mutex_);
  if (!stopping_) {
    MoveFirst(forgotten.size(), forgotten, forgotten_);
  }
}

// Logs when the disk begins and when it ceases to refuse, not each time.
void Writer::NoteHealth(const base::Result<Committed>& done) {
  if (!done.has_value() && !failing_) {
    base::LogError("store: nothing can be committed: {}{}",
                   done.error().message,
                   connection_->traces_remain()
                       ? "; a change that is refused now may be there after a "
                         "crash of this process"
                       : "");
  }
  if (done.has_value() && failing_) {
    base::LogInfo("store: commits work again");
  }
  failing_ = !done.has_value();
}

}  // namespace kms::store
