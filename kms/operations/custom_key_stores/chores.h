// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_CUSTOM_KEY_STORES_CHORES_H_
#define KMS_OPERATIONS_CUSTOM_KEY_STORES_CHORES_H_

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <map>
#include <string>

#include "base/result.h"
#include "hsm/client/client.h"
#include "kms/operations/call.h"

// What is done for custom key stores while nobody waits for it.
namespace kms::operations {

// One proxy that is slow leaves the others their turn.
inline constexpr std::size_t kMostProxiesAtOnce = 8;

// Asks the proxies and clusters of all stores that are to be connected
// (CONNECTING), several at once, and commits what has become of them:
// CONNECTED, or FAILED with a reason; an event ChangeConnectionState tells the
// audit log. One that was disconnected or changed meanwhile is left alone. What
// a process had begun that died is done by the next. Fails with the first error
// of a commit.
boost::asio::awaitable<base::Status> ConnectPendingStores(
    Environment& environment);

// To be called at a start, before anybody is served: what is CONNECTED to a
// cluster that the configuration does not have any more, or calls otherwise, is
// FAILED from now on, and has to be connected anew. The audit log tells of it
// likewise.
boost::asio::awaitable<base::Status> FailLostClusters(Environment& environment);

// A HealthWatch asks the proxies of connected stores how they are; workers of
// clusters are watched by their clients. What is not
// well is logged each time, and when it is well again. It changes no state:
// CONNECTED says that a connect once worked. Belongs to one io thread; borrows
// the environment.
class HealthWatch {
 public:
  explicit HealthWatch(Environment& environment) : environment_(environment) {}

  boost::asio::awaitable<void> AskAll();

 private:
  boost::asio::awaitable<void> AskOne(std::string id);
  void Note(const std::string& id, hsm::XksOutcome outcome);

  Environment& environment_;
  std::map<std::string, hsm::XksOutcome> last_;  // By store.
};

// Once a second until cancelled, on one thread for all: ConnectPendingStores;
// and once a minute the health of all that are connected. Proxies may be slow,
// and nothing else that is due must wait with them.
boost::asio::awaitable<void> KeepCustomKeyStores(Environment& environment);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_CUSTOM_KEY_STORES_CHORES_H_
