// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGERD_GAUGES_H_
#define TOOLS_CLAVIGERD_GAUGES_H_

#include <memory>
#include <vector>

#include "kms/audit/log.h"
#include "kms/http/metrics.h"
#include "kms/store/store.h"
#include "tools/clavigerd/io_thread.h"

namespace tools {

// Adds to /metrics what the layers below HTTP count: calls to the token and
// their latency, lost and replaced workers, queue lengths, what waits for the
// audit log, free space. Everything is borrowed for the life of `metrics`.
void AddGauges(kms::http::Metrics& metrics,
               const std::vector<std::unique_ptr<IoThread>>& threads,
               const kms::store::Store& store, const kms::audit::Log& log);

}  // namespace tools

#endif  // TOOLS_CLAVIGERD_GAUGES_H_
