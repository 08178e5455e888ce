// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_ERROR_CODE_H_
#define BASE_ERROR_CODE_H_

#include <cstdint>

namespace base {

// An ErrorCode is what a program may condition on. The list is closed: each
// boundary (AWS error names, CK_RV) translates it in exactly one total table.
enum class ErrorCode : std::uint8_t {
  // The request itself.
  kValidation,        // A member breaks a constraint of the API's model.
  kSerialization,     // The body is not the JSON that the operation takes.
  kUnknownOperation,  // No such operation.
  kInvalidArgument,   // A caller inside the program broke a contract; bad
                      // configuration; a bad command line.
  kThrottled,         // A bounded queue is full.
  kDryRun,            // Would have succeeded, but DryRun is set.
  // Who asks.
  kMissingAuthentication,
  kIncompleteSignature,
  kInvalidSignature,
  kUnrecognizedClient,
  kExpiredToken,
  kInvalidIdentityToken,  // A web identity token that does not hold.
  kExpiredIdentityToken,  // One that did.
  kAccessDenied,
  kNotAuthorized,  // Reserved names (alias/aws/).
  kInvalidGrantToken,
  kInvalidGrantId,
  kInvalidImportToken,
  kExpiredImportToken,
  // Keys and their neighbours.
  kNotFound,
  kAlreadyExists,
  kInvalidArn,
  kInvalidAliasName,
  kInvalidMarker,
  kDisabled,
  kInvalidState,
  kInvalidKeyUsage,
  kInvalidCiphertext,
  kIncorrectKey,
  kIncorrectKeyMaterial,  // Not what was imported into the key before.
  kSignatureMismatch,     // A signature is not one of the message by the key.
  kMacMismatch,           // Likewise a MAC.
  kLimitExceeded,
  kMalformedPolicy,
  kPackedPolicyTooLarge,  // The policies and tags of a session, together.
  kTag,
  kUnsupportedOperation,
  kConflict,
  // Custom key stores, and the proxies of external ones.
  kCustomKeyStoreNotFound,
  kCustomKeyStoreNameInUse,
  kCustomKeyStoreInvalidState,
  kCustomKeyStoreHasKeys,
  kCloudHsmClusterNotFound,
  kCloudHsmClusterInUse,
  kCloudHsmClusterNotRelated,
  kIncorrectTrustAnchor,
  kXksKeyAlreadyInUse,
  kXksKeyInvalidConfiguration,
  kXksKeyNotFound,
  kXksProxyUriInUse,
  kXksProxyUnreachable,
  kXksProxyCredentialRefused,
  kXksProxyInvalidResponse,
  kXksProxyInvalidConfiguration,
  kXksProxyUriEndpointInUse,
  kXksProxyVpcServiceNotFound,
  kXksProxyVpcServiceInUse,
  // Ourselves and what we stand on.
  kKeyUnavailable,    // The key's material cannot be reached now.
  kHsmUnavailable,    // The worker or the token did not answer or is gone.
  kTimeout,           // A deadline passed; the outcome is settled.
  kAuditUnavailable,  // The audit log cannot be written: fail closed.
  kStoreUnavailable,  // The store cannot be read or written.
  kBusy,              // Another process holds it (a lock, a database).
  kCorrupt,           // Bytes at rest or from a peer that cannot be right.
  kIo,                // The operating system refused; errno is in the text.
  kInternal,          // A broken invariant.
};

}  // namespace base

#endif  // BASE_ERROR_CODE_H_
