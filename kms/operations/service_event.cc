// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/service_event.h"

#include <utility>

#include "base/random.h"
#include "kms/audit/event.h"

namespace kms::operations {
namespace {

std::string StepEvent(const Environment& environment, const ServiceStep& step,
                      const std::string& event_id,
                      std::uint64_t store_revision) {
  const ServiceSubject& subject = step.subject;
  const audit::Event::Resource resource = {subject.account, subject.arn};
  const std::string request_id = base::NewUuidText();
  std::vector<audit::Member> details;
  details.reserve(step.details.size());
  for (const ServiceDetail& detail : step.details) {
    details.push_back({detail.name, detail.value});
  }
  audit::Event event;
  event.type = audit::Event::Type::kAwsServiceEvent;
  event.identity = {.type = "AWSService",
                    .account_id = subject.account,
                    .invoked_by = "kms.amazonaws.com"};
  event.time = environment.clock.Now();
  event.name = step.name;
  event.region = subject.region;
  event.source_address = "kms.amazonaws.com";
  event.user_agent = "kms.amazonaws.com";
  event.request_id = request_id;
  event.event_id = event_id;
  event.read_only = false;
  event.resources = {&resource, subject.arn.empty() ? 0U : 1U};
  event.recipient_account = subject.account;
  event.service_details = details;
  event.store_revision = store_revision;
  return audit::EventText(event);
}

}  // namespace

ServiceSubject SubjectOf(const Key& key) {
  return {.account = key.account, .region = key.region, .arn = key.Arn()};
}

boost::asio::awaitable<base::Result<store::OutboxEvent>> CommitStep(
    Environment& environment, ServiceStep& step, store::Store::Change change) {
  store::OutboxEvent event;
  event.event_id = base::NewUuidText();
  auto whole = [&](store::Transaction& transaction) -> base::Status {
    RETURN_IF_ERROR(change(transaction));
    event.text =
        StepEvent(environment, step, event.event_id, transaction.revision());
    return transaction.AddOutbox(event);
  };
  CO_RETURN_IF_ERROR(co_await environment.store.Write(whole));
  co_return event;
}

}  // namespace kms::operations
