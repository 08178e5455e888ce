// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_CUSTOM_KEY_STORES_HANDLERS_H_
#define KMS_OPERATIONS_CUSTOM_KEY_STORES_HANDLERS_H_

#include "base/result.h"
#include "kms/operations/call.h"
#include "kms/operations/handlers.h"

// The operations with custom key stores, as handlers.h has the others. They may
// not be looked for before who asks is known, so the rest of what is wrong is
// found in the operation itself.
namespace kms::operations {

base::Status ValidateCreateCustomKeyStore(const Call& call);
Answer CreateCustomKeyStore(Call& call);

base::Status ValidateDescribeCustomKeyStores(const Call& call);
Answer DescribeCustomKeyStores(Call& call);

base::Status ValidateUpdateCustomKeyStore(const Call& call);
Answer UpdateCustomKeyStore(Call& call);

Answer ConnectCustomKeyStore(Call& call);
Answer DisconnectCustomKeyStore(Call& call);
Answer DeleteCustomKeyStore(Call& call);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_CUSTOM_KEY_STORES_HANDLERS_H_
