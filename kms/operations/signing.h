// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_SIGNING_H_
#define KMS_OPERATIONS_SIGNING_H_

#include "base/result.h"
#include "base/secret.h"
#include "kms/key_spec.h"
#include "kms/operations/call.h"

namespace kms::operations {

// What a Sign or Verify asks for, once it is known to fit the key.
struct Signing {
  const SigningAlgorithm* algorithm = nullptr;
  base::Secret message;  // The digest; of Ed25519 the message.
};

// Reads SigningAlgorithm, MessageType and Message. Checks the key's usage, then
// the algorithm (kInvalidKeyUsage), then the type and length of the message
// (kValidation).
base::Result<Signing> ReadSigning(const Call& call);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_SIGNING_H_
