// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_ROTATION_H_
#define KMS_OPERATIONS_ROTATION_H_

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "kms/operations/call.h"

// Rotation: a key gets a new material, under which it encrypts from then on.
// The old ones stay and decrypt for ever. AWS KMS Developer Guide, "Rotate AWS
// KMS keys".
namespace kms::operations {

// Whether keys of this kind can be rotated at all: symmetric ones for
// encryption.
bool IsRotatableKind(const Key& key);

// Fails with kUnsupportedOperation unless the key is of such a kind.
base::Status CheckRotatableKind(const Key& key);

// Fails with kUnsupportedOperation unless the server can rotate the key: one of
// a kind that rotates, whose material the server itself makes.
base::Status CheckRotatable(const Key& key);

// The part of a transaction that gives the key `row_id` the announced
// `material`: reads the key, lets `edit` check and change it, saves it, adds
// the material as the current one, and settles the intent.
base::Status CommitRotation(store::Transaction& transaction,
                            std::string_view row_id,
                            const KeyMaterial& material,
                            const std::function<base::Status(Key&)>& edit);

// The commit of a call that rotates its key to the announced `material`, which
// is abandoned if it fails. `edit` as CommitRotation's.
boost::asio::awaitable<base::Status> CommitOnDemandRotation(
    Call& call, KeyMaterial material, std::function<base::Status(Key&)> edit);

// A RotationScheduler rotates the keys whose day has come. A key is rotated
// once for a due date, whatever is killed: the new material and the next date
// are one commit. Belongs to the housekeeping of one io thread, which must own
// `environment` longer.
class RotationScheduler {
 public:
  explicit RotationScheduler(Environment& environment)
      : environment_(environment) {}

  // One pass: rotates some keys that are due, the longest overdue first. The
  // first failure ends the pass, because it may be the token's; its key stays
  // due, and is tried again after a minute, then two, at last every hour, so
  // that keys which always fail leave the others their turn.
  // Does nothing while no worker answers or the log lacks earlier events.
  boost::asio::awaitable<base::Status> RunPass();

 private:
  boost::asio::awaitable<base::Status> Rotate(const Key& key);
  boost::asio::awaitable<base::Status> RotateRow(const std::string& row_id);
  bool IsTokenReady(const std::string& row_id) const;
  bool Waits(const std::string& row_id, base::MonotonicTime now) const;
  void NoteFailure(const std::string& row_id, base::MonotonicTime now);

  struct Failure {
    base::MonotonicTime again{};   // When to try it again.
    std::chrono::minutes pause{};  // How long that is from the last time.
  };

  Environment& environment_;
  std::map<std::string, Failure> failures_;  // By row_id.
};

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_ROTATION_H_
