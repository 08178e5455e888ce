// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_XKS_TENANTS_H_
#define KMS_OPERATIONS_XKS_TENANTS_H_

#include <boost/asio/awaitable.hpp>

#include "base/result.h"
#include "base/secret.h"
#include "kms/operations/call.h"
#include "kms/xks/tenants.h"

// Tenants of the XKS proxy: from the store to those in force.
namespace kms::operations {

// Reads all external keys and credentials from the store, opens the secrets
// that are not open yet, and puts the result in force. After every change,
// before it is answered. Does nothing where there is no XKS proxy.
boost::asio::awaitable<base::Status> LoadTenants(Environment& environment);

// Call::Commit, then LoadTenants: what was committed is in force when this has
// succeeded. If only the second fails, CatchUpTenants tries again.
boost::asio::awaitable<base::Status> CommitTenants(Call& call,
                                                   store::Store::Change change);

// LoadTenants, if those in force have fallen behind the store.
boost::asio::awaitable<base::Status> CatchUpTenants(Environment& environment);

// Says in the log what the store has of tenants that are not configured.
void LogForgottenTenants(const Environment& environment);

// A new credential, its secret sealed under the service key "xks-credentials",
// bound to the store and the access key id.
boost::asio::awaitable<base::Result<XksCredential>> SealXksCredential(
    Environment& environment, std::string tenant, std::string access_key_id,
    const base::Secret& secret);

// The settings of the tenant that the input names. Fails with kNotFound, and
// with what there is.
base::Result<const xks::TenantSettings*> TenantOf(const Call& call);

// The name of the tenant that the input names, which may be one that is not
// configured any more, but has something left. Fails like TenantOf.
base::Result<std::string> TenantNameOf(const Call& call);

// The path under which a tenant is asked: "/team-a/kms/xks/v1".
std::string UriPathOf(const xks::TenantSettings& tenant);

// Encrypts and decrypts under a key of the server's own: whether the token that
// serves tenants does.
boost::asio::awaitable<base::Status> TryToken(Environment& environment);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_XKS_TENANTS_H_
