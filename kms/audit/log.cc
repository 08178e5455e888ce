// SPDX-License-Identifier: Apache-2.0
#include "kms/audit/log.h"

#include <fmt/format.h>

#include <atomic>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"
#include "kms/audit/chain.h"
#include "kms/audit/completion.h"
#include "kms/audit/space.h"
#include "kms/audit/thread.h"
#include "kms/audit/writer.h"

namespace kms::audit {
namespace {

namespace asio = boost::asio;

// What may wait for the disk: about a second of the fastest load.
constexpr std::uint64_t kMaxQueuedBytes = 64U << 20;
// Between two looks at a disk that failed.
constexpr std::chrono::milliseconds kProbePause{500};

base::Status CheckOptions(const LogOptions& options) {
  const auto refuse = [](std::string text) {
    return base::Error{base::ErrorCode::kInvalidArgument, std::move(text)};
  };
  if (!IsNodeName(options.node)) {
    return refuse(fmt::format(
        "\"{}\" cannot name a node in the audit log: 1 to 64 letters, digits, "
        "'.', '_' or '-'",
        options.node));
  }
  if (options.segment_bytes < Segment::kBlock ||
      options.segment_bytes > (std::uint64_t{4} << 30)) {
    return refuse("an audit segment has 4 KiB to 4 GiB");
  }
  return {};
}

// A caller that breaks this has a bug: no text of a client can.
base::Status CheckEvent(std::string_view event) {
  const auto refuse = [](const char* text) {
    return base::Error{base::ErrorCode::kInvalidArgument, text};
  };
  if (event.size() > Log::kMaxEventBytes) {
    return refuse("an audit event is larger than 256 KiB");
  }
  if (event.size() < 3 || event.front() != '{' || event.back() != '}' ||
      event.starts_with("{\"recordType\"")) {
    return refuse(
        "an audit event is not a JSON object with CloudTrail members");
  }
  if (event.find('\n') != event.npos || event.find('\0') != event.npos) {
    return refuse("an audit event holds a line break or a NUL");
  }
  return {};
}

// Records that wait, and who waits for each.
struct Queue {
  std::vector<std::string> events;
  std::vector<Waiter> waiters;
  std::uint64_t bytes = 0;

  void Clear() {
    events.clear();
    waiters.clear();
    bytes = 0;
  }
};

base::Error Unwritable(const base::Error& cause) {
  return {base::ErrorCode::kAuditUnavailable,
          fmt::format("the audit log cannot be written, and nothing is done "
                      "unrecorded: cannot {}",
                      cause.message)};
}

class FileLog final : public Log {
 public:
  FileLog(LogOptions options, const base::Clock& clock)
      : options_(std::move(options)), space_(options_, clock), clock_(clock) {}
  ~FileLog() override { Close(); }

  base::Status Start();

  asio::awaitable<base::Status> Append(std::string event) override;
  base::Status AppendNow(std::string event) override;
  LogHealth health() const override;
  void Close() override;

 private:
  void Enqueue(std::string event, Waiter waiter);
  base::Status TryEnqueue(std::string& event, Waiter& waiter);
  void Run();
  bool Take(Queue& queue);
  void Commit(Queue& queue);
  void Probe();
  void Report(const base::Status& status);
  void Publish();

  const LogOptions options_;
  mutable SpaceWatch space_;
  const base::Clock& clock_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  Queue queue_;           // Guarded by mutex_.
  bool waiting_ = false;  // The thread waits for wake_. Guarded by mutex_.
  bool closing_ = false;  // Guarded by mutex_.

  std::unique_ptr<Writer> writer_;  // The thread's alone once that runs.
  std::once_flag joined_;
  std::thread thread_;

  std::atomic<bool> writable_ = true;
  std::atomic<std::uint64_t> in_flight_ = 0;
  std::atomic<std::uint64_t> records_ = 0;
  std::uint64_t found_sequence_ = 0;  // Does not change after Start.
  std::atomic<std::uint64_t> head_sequence_ = 0;
  std::atomic<std::uint64_t> max_store_revision_ = 0;
};

base::Status FileLog::Start() {
  ASSIGN_OR_RETURN(writer_, Writer::Open(options_, clock_));
  found_sequence_ = writer_->found_sequence();
  Publish();
  space_.Poll();
  thread_ = ThreadWithoutSignals([this] { Run(); });
  return {};
}

asio::awaitable<base::Status> FileLog::Append(std::string event) {
  return asio::async_initiate<const asio::use_awaitable_t<>&,
                              void(base::Status)>(
      [this](ResumeHandler&& handler, std::string text) {
        Enqueue(std::move(text), Waiter(std::move(handler)));
      },
      asio::use_awaitable, std::move(event));
}

base::Status FileLog::AppendNow(std::string event) {
  std::promise<base::Status> promise;
  std::future<base::Status> done = promise.get_future();
  Enqueue(std::move(event), Waiter(std::move(promise)));
  return done.get();
}

void FileLog::Enqueue(std::string event, Waiter waiter) {
  if (const base::Status queued = TryEnqueue(event, waiter); !queued) {
    Complete({&waiter, 1}, {&event, 1}, queued);
  }
}

base::Status FileLog::TryEnqueue(std::string& event, Waiter& waiter) {
  RETURN_IF_ERROR(CheckEvent(event));
  const std::lock_guard lock(mutex_);
  if (closing_) {
    return base::Error{base::ErrorCode::kAuditUnavailable,
                       "the audit log is closed: the server is stopping"};
  }
  if (queue_.bytes + event.size() > kMaxQueuedBytes) {
    return base::Error{base::ErrorCode::kThrottled,
                       "too many records wait for the audit log's disk"};
  }
  queue_.bytes += event.size();
  queue_.events.push_back(std::move(event));
  queue_.waiters.push_back(std::move(waiter));
  if (std::exchange(waiting_, false)) {
    wake_.notify_one();
  }
  return {};
}

void FileLog::Run() {
  Queue queue;
  while (Take(queue)) {
    if (queue.events.empty()) {
      Probe();
    } else {
      Commit(queue);
    }
    queue.Clear();
    space_.Poll();
  }
  if (const base::Status closed = writer_->Close(); !closed) {
    base::LogWarning("audit: cannot {}; the next start cuts it",
                     closed.error().message);
  }
}

// Whatever came while the last group was written is the next one: nothing
// lingers to make it larger (measured: lingering costs 12 to 18 %). Empty if it
// is time to look after a disk that failed. False at the end.
bool FileLog::Take(Queue& queue) {
  std::unique_lock lock(mutex_);
  while (queue_.events.empty() && !closing_) {
    waiting_ = true;
    if (writable_) {
      wake_.wait(lock);
    } else if (wake_.wait_for(lock, kProbePause) == std::cv_status::timeout) {
      break;
    }
  }
  waiting_ = false;
  std::swap(queue, queue_);
  in_flight_ = queue.events.size();
  return !queue.events.empty() || !closing_;
}

// A server that is not ready may get no request, and so no record to try with.
void FileLog::Probe() {
  if (const base::Status works = writer_->Repair(); works) {
    Publish();
    Report({});
  } else {
    Report(Unwritable(works.error()));
  }
}

void FileLog::Commit(Queue& queue) {
  std::size_t done = 0;
  while (done < queue.events.size()) {
    const auto count = writer_->Commit(std::span(queue.events).subspan(done));
    if (!count) {
      // The rest fails too: the disk gets its next chance with the next batch.
      const base::Status failed = Unwritable(count.error());
      in_flight_ = 0;
      Report(failed);
      Complete(std::span(queue.waiters).subspan(done),
               std::span(queue.events).subspan(done), failed);
      return;
    }
    records_ += *count;
    in_flight_ -= *count;
    Publish();
    Report({});
    Complete(std::span(queue.waiters).subspan(done, *count),
             std::span(queue.events).subspan(done, *count), {});
    done += *count;
  }
}

// Says once when writing begins to fail and once when it works again.
void FileLog::Report(const base::Status& status) {
  if (writable_.exchange(status.has_value()) == status.has_value()) {
    return;
  }
  if (status) {
    base::LogInfo("audit: the log can be written again");
  } else {
    base::LogError("{}", status.error().message);
  }
}

void FileLog::Publish() {
  head_sequence_ = writer_->head().sequence;
  max_store_revision_ = writer_->head().max_store_revision;
}

LogHealth FileLog::health() const {
  space_.Poll();
  const std::lock_guard lock(mutex_);
  return {
      writable_,      space_.free_bytes(), queue_.events.size() + in_flight_,
      records_,       head_sequence_,      max_store_revision_,
      found_sequence_};
}

void FileLog::Close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    wake_.notify_one();
  }
  std::call_once(joined_, [this] {
    if (thread_.joinable()) {
      thread_.join();
    }
    writer_.reset();
  });
}

}  // namespace

base::Result<std::unique_ptr<Log>> Log::Open(LogOptions options,
                                             const base::Clock& clock) {
  RETURN_IF_ERROR(CheckOptions(options));
  auto log = std::make_unique<FileLog>(std::move(options), clock);
  RETURN_IF_ERROR(log->Start());
  return log;
}

}  // namespace kms::audit
