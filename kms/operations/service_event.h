// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_SERVICE_EVENT_H_
#define KMS_OPERATIONS_SERVICE_EVENT_H_

#include <boost/asio/awaitable.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kms/operations/call.h"

// What the server does by itself to a key or a custom key store, as the audit
// log tells it.
namespace kms::operations {

// What it is done to.
struct ServiceSubject {
  std::string account;
  std::string region;
  std::string arn;  // Empty: it has none.
};
ServiceSubject SubjectOf(const Key& key);

struct ServiceDetail {
  std::string_view name;
  std::string value;
};

// A ServiceStep is one such change.
struct ServiceStep {
  ServiceSubject subject;
  std::string_view name;  // CloudTrail's eventName.
  // CloudTrail's serviceEventDetails. The change may fill them.
  std::vector<ServiceDetail> details = {};
};

// Commits `change` together with the step's event, and returns the event for
// AppendCommitted: only then it is in the log. If it fails nothing was changed.
boost::asio::awaitable<base::Result<store::OutboxEvent>> CommitStep(
    Environment& environment, ServiceStep& step, store::Store::Change change);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_SERVICE_EVENT_H_
