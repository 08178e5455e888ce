// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_OPERATION_H_
#define KMS_OPERATIONS_OPERATION_H_

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "kms/model.h"
#include "kms/operations/shape.h"
#include "kms/service.h"

namespace kms::operations {

struct Call;

// The key states in which an operation may run, as a bit set.
using States = std::uint8_t;
constexpr States Bit(KeyState state) {
  return static_cast<States>(1U << static_cast<unsigned>(state));
}
inline constexpr States kAnyState = 0xFF;
// AWS KMS Developer Guide, "Key states of KMS keys": the rows of its table.
inline constexpr States kForCryptography =
    Bit(KeyState::kEnabled) | Bit(KeyState::kUpdating);
inline constexpr States kForGranting =
    kForCryptography | Bit(KeyState::kUnavailable);
inline constexpr States kUnlessPendingDeletion =
    static_cast<States>(kAnyState & ~Bit(KeyState::kPendingDeletion) &
                        ~Bit(KeyState::kPendingReplicaDeletion));
inline constexpr States kForEnabling = Bit(KeyState::kEnabled) |
                                       Bit(KeyState::kDisabled) |
                                       Bit(KeyState::kUnavailable);
// A certificate is compared with the public key: there must be one.
inline constexpr States kForCertificates =
    static_cast<States>(kForEnabling | Bit(KeyState::kUpdating));
// Of these, what cannot be rotated at all is refused by what it is: imported
// keys and those in custom key stores.
inline constexpr States kForRotation =
    kForCryptography | Bit(KeyState::kUnavailable);
inline constexpr States kForRotationSchedule =
    kForRotation | Bit(KeyState::kPendingImport);
inline constexpr States kForScheduling =
    static_cast<States>(kUnlessPendingDeletion & ~Bit(KeyState::kUpdating));
inline constexpr States kForImporting =
    static_cast<States>(kUnlessPendingDeletion & ~Bit(KeyState::kCreating));
inline constexpr States kForImportParameters =
    static_cast<States>(kForImporting & ~Bit(KeyState::kUpdating));
inline constexpr States kForDeletingMaterial = static_cast<States>(
    kAnyState & ~Bit(KeyState::kCreating) & ~Bit(KeyState::kUpdating));
inline constexpr States kForReplicating = Bit(KeyState::kEnabled);
inline constexpr States kOnlyPendingDeletion =
    Bit(KeyState::kPendingDeletion) | Bit(KeyState::kPendingReplicaDeletion);

enum class Effect : std::uint8_t { kReads, kWrites };

// Which spellings of a key an operation takes.
enum class KeyForms : std::uint8_t { kNone, kIdOrArn, kAny, kArn };

// An Operation is one row of the API. The doors, validation, authorization, the
// state check, the audit log, the manual and the tests read it; nothing about
// an operation stands anywhere else but in its own file.
struct Operation {
  std::string_view service;  // X-Amz-Target is service + "." + name.
  std::string_view name;
  std::string_view action;  // What a policy must allow.
  std::span<const Member> input;
  KeyForms key_forms;
  States states;  // Of every key that the call resolves.
  Effect effect;
  bool grantable;      // May appear in CreateGrant's Operations.
  bool cross_account;  // May name a key of another account.
  // What the shapes cannot say; nullptr if nothing. Before keys are resolved.
  base::Status (*validate)(const Call&);
  // Finds the keys and lists the checks (action and resource) to authorize.
  base::Status (*resolve)(Call&);
  // The work itself: only what is particular to this operation is left to do.
  boost::asio::awaitable<base::Result<Reply>> (*run)(Call&);
};

// All operations, sorted by (service, name).
std::span<const Operation> AllOperations();

// Those of AWS IAM ("IAM") and AWS STS ("STS"), sorted by name.
std::span<const Operation> IamOperations();
std::span<const Operation> StsOperations();

// nullptr if there is none.
const Operation* FindOperation(std::string_view service, std::string_view name);

// Whether this server does it; otherwise the operation is only known, and
// refused.
bool IsServed(const Operation& operation);

// Fails as AWS does unless the key's state is one of `allowed`.
base::Status CheckState(States allowed, const Key& key);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_OPERATION_H_
