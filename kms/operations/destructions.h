// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_DESTRUCTIONS_H_
#define KMS_OPERATIONS_DESTRUCTIONS_H_

#include <boost/asio/awaitable.hpp>
#include <string_view>

#include "base/result.h"
#include "kms/operations/call.h"

// Objects that go while their key stays: imported material, wrapping pairs. The
// store announces it in the commit by which it forgets them; then every worker
// forgets them, the token destroys them, and the announcement goes. Whatever is
// killed in between, the next round goes on.
namespace kms::operations {

// What an announcement names instead of a key.
inline constexpr std::string_view kImportPair = "import-pair";

// Nor a key: what was wrapped, and is an object of a token now. It is only to
// be forgotten.
inline constexpr std::string_view kMovedMaterial = "moved-material";

// Has every worker forget a wrapped key: whoever shares the wrapping key may
// have unwrapped it.
boost::asio::awaitable<base::Status> ForgetEverywhere(Environment& environment,
                                                      hsm::Locator locator);

// The part of a transaction that announces it; `of` is the row id of the key,
// or one of these words, `key_store` where the object is.
base::Status AnnounceDestruction(const Environment& environment,
                                 store::Transaction& transaction,
                                 std::string_view key_store,
                                 const hsm::Locator& locator,
                                 std::string_view of);

// Has the workers of every key store forget a material. Of a wrapped one,
// whoever shares the wrapping key may have a copy.
boost::asio::awaitable<base::Status> ForgetEverywhere(Environment& environment,
                                                      hsm::Locator locator);

// Carries one announced destruction out. That of a key's material is then in
// the audit log.
boost::asio::awaitable<base::Status> FinishDestruction(Environment& environment,
                                                       store::Intent intent);

// Carries all out that are announced. The first error is returned.
boost::asio::awaitable<base::Status> FinishDestructions(
    Environment& environment);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_DESTRUCTIONS_H_
