// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_EXPLAIN_RECORDED_H_
#define KMS_OPERATIONS_EXPLAIN_RECORDED_H_

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "kms/operations/explain/subject.h"

namespace kms::operations {

// A Recorded is an event of the audit log, made a request again: by the record
// of who asked, for what, and under which conditions, and by the policies,
// grants and keys of now. Neither copyable nor movable.
class Recorded {
 public:
  // `event` is one that ParseEvent has read, and `viewer`, which is borrowed,
  // who wants to see it. Fails with what the store says if it cannot be read.
  static base::Result<std::unique_ptr<Recorded>> Rebuild(const Call& viewer,
                                                         base::Json event);

  const base::Json& event() const { return event_; }
  // "additionalEventData.decision"; null if policies were not asked.
  const base::Json& decision() const;
  bool WasAllowed() const;

  // What was asked of policies, or would have been next; empty if that cannot
  // be known. The notes say why, and what else is not as it was.
  const std::vector<Check>& checks() const { return checks_; }
  const std::vector<std::string>& notes() const { return notes_; }
  // Which of the checks the recorded decision is of.
  std::size_t decided() const { return decided_; }

  // The request, its condition context being that of check `index`: of the one
  // that was decided as it was recorded; of another as far as the record tells.
  base::Result<Call*> ForCheck(std::size_t index);

 private:
  Recorded(const Call& viewer, base::Json event);

  void RebuildInput();
  base::Status RebuildChecks();
  base::Status RebuildResources();
  base::Status AddCheck(std::string_view action, std::string_view resource,
                        std::string_view region);
  void Note(std::string note) { notes_.push_back(std::move(note)); }

  const Call& viewer_;
  const base::Json event_;
  std::vector<GivenKey> keys_;  // The recorded condition context.
  std::vector<std::string> notes_;
  std::unique_ptr<Subject> subject_;  // Never null once built.
  std::vector<Check> checks_;
  std::size_t decided_ = 0;
};

// Reads a record. Fails with kCorrupt if it is none.
base::Result<base::Json> ParseEvent(std::string_view line);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_EXPLAIN_RECORDED_H_
