// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_XKS_HANDLERS_H_
#define KMS_OPERATIONS_XKS_HANDLERS_H_

#include <boost/asio/awaitable.hpp>

#include "base/result.h"
#include "kms/operations/call.h"

// The operator's part of the XKS proxy: keys and credentials of its tenants
// (docs/xks-proxy.md). What a tenant's KMS may ask is in kms/xks.
namespace kms::operations {

boost::asio::awaitable<base::Result<Reply>> CreateExternalKey(Call& call);
boost::asio::awaitable<base::Result<Reply>> RotateExternalKey(Call& call);
boost::asio::awaitable<base::Result<Reply>> EnableExternalKey(Call& call);
boost::asio::awaitable<base::Result<Reply>> DisableExternalKey(Call& call);
boost::asio::awaitable<base::Result<Reply>> ListExternalKeys(Call& call);

boost::asio::awaitable<base::Result<Reply>> CreateXksCredential(Call& call);
boost::asio::awaitable<base::Result<Reply>> DeleteXksCredential(Call& call);
boost::asio::awaitable<base::Result<Reply>> ListXksCredentials(Call& call);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_XKS_HANDLERS_H_
