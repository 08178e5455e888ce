// SPDX-License-Identifier: Apache-2.0
// PKCS#11 2.40 sections 5.11 and 5.12: signatures and MACs.
#include "pkcs11/module/functions.h"
#include "pkcs11/module/lease.h"
#include "pkcs11/module/output.h"
#include "pkcs11/module/signing.h"

namespace pkcs11::module {
namespace {

using SignLease = Lease<SignOperation>;
using VerifyLease = Lease<VerifyOperation>;

// What C_SignFinal does, and C_Sign with a message of one part.
Status MakeSignature(SignLease& lease, base::ByteView part, Output out) {
  if (!out.HasRoomFor(lease->size())) {
    lease.Keep();
    return out.NoRoom();
  }
  RETURN_IF_FAILED(lease->Update(part));
  ASSIGN_OR_FAIL(const base::Bytes signature, lease->Finish());
  out.Write(signature);
  return {};
}

}  // namespace

Status SignInit(Module& module, CK_SESSION_HANDLE session,
                CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  RETURN_IF_FAILED(CheckFree(module, session, &Session::sign));
  ASSIGN_OR_FAIL(const auto object, module.FindKey(session, key));
  ASSIGN_OR_FAIL(Token * token, module.TokenOf(session));
  ASSIGN_OR_FAIL(auto operation, StartSigning(*object, *mechanism, token->kms(),
                                              module.library()));
  return Start(module, session, &Session::sign, std::move(operation));
}

Status Sign(Module& module, CK_SESSION_HANDLE session, CK_BYTE* message,
            CK_ULONG size, CK_BYTE* out, CK_ULONG* out_size) {
  ASSIGN_OR_FAIL(SignLease lease,
                 SignLease::Take(module, session, &Session::sign));
  // PKCS#11 2.40, "C_Sign": not after C_SignUpdate.
  if (lease.in_parts()) {
    return Failure(CKR_OPERATION_ACTIVE);
  }
  return MakeSignature(lease, {message, size}, Output(out, out_size));
}

Status SignUpdate(Module& module, CK_SESSION_HANDLE session, CK_BYTE* part,
                  CK_ULONG size) {
  ASSIGN_OR_FAIL(SignLease lease,
                 SignLease::Take(module, session, &Session::sign));
  RETURN_IF_FAILED(lease->Update({part, size}));
  lease.KeepInParts();
  return {};
}

Status SignFinal(Module& module, CK_SESSION_HANDLE session, CK_BYTE* out,
                 CK_ULONG* out_size) {
  ASSIGN_OR_FAIL(SignLease lease,
                 SignLease::Take(module, session, &Session::sign));
  return MakeSignature(lease, {}, Output(out, out_size));
}

Status VerifyInit(Module& module, CK_SESSION_HANDLE session,
                  CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  RETURN_IF_FAILED(CheckFree(module, session, &Session::verify));
  ASSIGN_OR_FAIL(const auto object, module.FindKey(session, key));
  ASSIGN_OR_FAIL(Token * token, module.TokenOf(session));
  ASSIGN_OR_FAIL(auto operation,
                 StartVerifying(*object, *mechanism, token->kms(),
                                module.library(), token->options().verify));
  return Start(module, session, &Session::verify, std::move(operation));
}

Status Verify(Module& module, CK_SESSION_HANDLE session, CK_BYTE* message,
              CK_ULONG size, CK_BYTE* signature, CK_ULONG signature_size) {
  ASSIGN_OR_FAIL(VerifyLease lease,
                 VerifyLease::Take(module, session, &Session::verify));
  if (lease.in_parts()) {
    return Failure(CKR_OPERATION_ACTIVE);
  }
  RETURN_IF_FAILED(lease->Update({message, size}));
  return lease->Finish({signature, signature_size});
}

Status VerifyUpdate(Module& module, CK_SESSION_HANDLE session, CK_BYTE* part,
                    CK_ULONG size) {
  ASSIGN_OR_FAIL(VerifyLease lease,
                 VerifyLease::Take(module, session, &Session::verify));
  RETURN_IF_FAILED(lease->Update({part, size}));
  lease.KeepInParts();
  return {};
}

Status VerifyFinal(Module& module, CK_SESSION_HANDLE session,
                   CK_BYTE* signature, CK_ULONG size) {
  ASSIGN_OR_FAIL(VerifyLease lease,
                 VerifyLease::Take(module, session, &Session::verify));
  return lease->Finish({signature, size});
}

}  // namespace pkcs11::module
