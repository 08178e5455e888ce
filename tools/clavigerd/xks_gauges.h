// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGERD_XKS_GAUGES_H_
#define TOOLS_CLAVIGERD_XKS_GAUGES_H_

#include "base/clock.h"
#include "kms/http/metrics.h"
#include "kms/operations/custom_key_stores/source.h"

namespace tools {

// Adds to /metrics how external key stores do: errors of their proxies and how
// long they took, and of each store the state of its key managers, the days to
// the end of its certificate and the age of its credential. Everything is
// borrowed for the life of `metrics`.
void AddXksGauges(kms::http::Metrics& metrics,
                  const kms::operations::CustomKeyStoreSource& stores,
                  const base::Clock& clock);

}  // namespace tools

#endif  // TOOLS_CLAVIGERD_XKS_GAUGES_H_
