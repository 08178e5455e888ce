// SPDX-License-Identifier: Apache-2.0
// PKCS#11 2.40 sections 5.8 and 5.9: encryption and decryption.
#include <algorithm>
#include <utility>

#include "pkcs11/module/cipher.h"
#include "pkcs11/module/functions.h"
#include "pkcs11/module/lease.h"
#include "pkcs11/module/output.h"

namespace pkcs11::module {
namespace {

using CipherLease = Lease<CipherOperation>;

// An operation whose output is there but did not fit into the caller's buffer.
// How long it is only the KMS can tell, and it is not asked twice.
// Only what made it may ask for it again: another text would be taken for this
// one.
class FinishedCipher final : public CipherOperation {
 public:
  FinishedCipher(base::ByteView part, base::WipingBytes output)
      : part_(part.begin(), part.end()), output_(std::move(output)) {}

  std::size_t LargestOutput(std::size_t) const override {
    return output_.size();
  }
  Answer<base::WipingBytes> Update(base::ByteView part) override {
    if (!std::ranges::equal(part, part_)) {
      return Failure(CKR_ARGUMENTS_BAD,
                     "the output of another text is waiting to be fetched");
    }
    return base::WipingBytes();
  }
  Answer<base::WipingBytes> Finish() override { return std::move(output_); }

 private:
  const base::WipingBytes part_;  // The last one.
  base::WipingBytes output_;
};

// What C_EncryptFinal and C_DecryptFinal do, and C_Encrypt and C_Decrypt with a
// text of one part. Asking for the length makes no call and gets the largest
// that it can be. Encryption wants a buffer of that length before it begins.
// For decryption a smaller one is tried: callers that know what they decrypt
// bring what it needs.
Status Finish(CipherLease& lease, base::ByteView part, CK_BYTE* out,
              CK_ULONG* out_size) {
  Output output(out, out_size);
  if (out == nullptr || *out_size < lease->RoomToBegin(part.size())) {
    *out_size = lease->LargestOutput(part.size());
    lease.Keep();
    return output.NoRoom();
  }
  ASSIGN_OR_FAIL(base::WipingBytes made, lease->Update(part));
  ASSIGN_OR_FAIL(const base::WipingBytes rest, lease->Finish());
  made.insert(made.end(), rest.begin(), rest.end());
  if (!output.HasRoomFor(made.size())) {
    lease.KeepAs(std::make_unique<FinishedCipher>(part, std::move(made)));
    return output.NoRoom();
  }
  output.Write(made);
  return {};
}

Status InOnePart(Module& module, CK_SESSION_HANDLE session,
                 SlotMember<CipherOperation> member, base::ByteView text,
                 CK_BYTE* out, CK_ULONG* out_size) {
  ASSIGN_OR_FAIL(CipherLease lease, CipherLease::Take(module, session, member));
  if (lease.in_parts()) {
    return Failure(CKR_OPERATION_ACTIVE);
  }
  return Finish(lease, text, out, out_size);
}

Status Update(Module& module, CK_SESSION_HANDLE session,
              SlotMember<CipherOperation> member, base::ByteView part,
              CK_BYTE* out, CK_ULONG* out_size) {
  ASSIGN_OR_FAIL(CipherLease lease, CipherLease::Take(module, session, member));
  Output output(out, out_size);
  // Also for none: without a buffer the caller only asks for the length.
  if (!output.HasRoomFor(lease->OutputOfUpdate(part.size()))) {
    lease.Keep();
    return output.NoRoom();
  }
  ASSIGN_OR_FAIL(const base::WipingBytes made, lease->Update(part));
  output.Write(made);
  lease.KeepInParts();
  return {};
}

Status Final(Module& module, CK_SESSION_HANDLE session,
             SlotMember<CipherOperation> member, CK_BYTE* out,
             CK_ULONG* out_size) {
  ASSIGN_OR_FAIL(CipherLease lease, CipherLease::Take(module, session, member));
  return Finish(lease, {}, out, out_size);
}

}  // namespace

Status EncryptInit(Module& module, CK_SESSION_HANDLE session,
                   CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  RETURN_IF_FAILED(CheckFree(module, session, &Session::encrypt));
  ASSIGN_OR_FAIL(const auto object, module.FindKey(session, key));
  ASSIGN_OR_FAIL(Token * token, module.TokenOf(session));
  ASSIGN_OR_FAIL(auto operation,
                 StartEncrypting(*object, *mechanism, CipherUse::kText,
                                 token->kms(), module.library()));
  return Start(module, session, &Session::encrypt, std::move(operation));
}

Status Encrypt(Module& module, CK_SESSION_HANDLE session, CK_BYTE* text,
               CK_ULONG size, CK_BYTE* out, CK_ULONG* out_size) {
  return InOnePart(module, session, &Session::encrypt, {text, size}, out,
                   out_size);
}

Status EncryptUpdate(Module& module, CK_SESSION_HANDLE session, CK_BYTE* part,
                     CK_ULONG size, CK_BYTE* out, CK_ULONG* out_size) {
  return Update(module, session, &Session::encrypt, {part, size}, out,
                out_size);
}

Status EncryptFinal(Module& module, CK_SESSION_HANDLE session, CK_BYTE* out,
                    CK_ULONG* out_size) {
  return Final(module, session, &Session::encrypt, out, out_size);
}

Status DecryptInit(Module& module, CK_SESSION_HANDLE session,
                   CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  RETURN_IF_FAILED(CheckFree(module, session, &Session::decrypt));
  ASSIGN_OR_FAIL(const auto object, module.FindKey(session, key));
  ASSIGN_OR_FAIL(Token * token, module.TokenOf(session));
  ASSIGN_OR_FAIL(auto operation,
                 StartDecrypting(*object, *mechanism, CipherUse::kText,
                                 token->kms(), module.library()));
  return Start(module, session, &Session::decrypt, std::move(operation));
}

Status Decrypt(Module& module, CK_SESSION_HANDLE session, CK_BYTE* text,
               CK_ULONG size, CK_BYTE* out, CK_ULONG* out_size) {
  return InOnePart(module, session, &Session::decrypt, {text, size}, out,
                   out_size);
}

Status DecryptUpdate(Module& module, CK_SESSION_HANDLE session, CK_BYTE* part,
                     CK_ULONG size, CK_BYTE* out, CK_ULONG* out_size) {
  return Update(module, session, &Session::decrypt, {part, size}, out,
                out_size);
}

Status DecryptFinal(Module& module, CK_SESSION_HANDLE session, CK_BYTE* out,
                    CK_ULONG* out_size) {
  return Final(module, session, &Session::decrypt, out, out_size);
}

}  // namespace pkcs11::module
