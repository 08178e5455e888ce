// SPDX-License-Identifier: Apache-2.0
// PKCS#11 2.40 section 5.10: digests, which are made here.
#include <utility>

#include "pkcs11/module/functions.h"
#include "pkcs11/module/key_use.h"
#include "pkcs11/module/lease.h"
#include "pkcs11/module/message.h"
#include "pkcs11/module/output.h"

namespace pkcs11::module {
namespace {

using DigestLease = Lease<DigestOperation>;

class Digesting final : public DigestOperation {
 public:
  Digesting(const Hash& hash, Message message)
      : hash_(hash), message_(std::move(message)) {}

  std::size_t size() const override { return hash_.size; }
  Status Update(base::ByteView part) override { return message_.Update(part); }
  Answer<base::WipingBytes> Finish() override { return message_.Finish(); }

 private:
  const Hash& hash_;
  Message message_;
};

// What C_DigestFinal does, and C_Digest with a message of one part.
Status MakeDigest(DigestLease& lease, base::ByteView part, Output out) {
  if (!out.HasRoomFor(lease->size())) {
    lease.Keep();
    return out.NoRoom();
  }
  RETURN_IF_FAILED(lease->Update(part));
  ASSIGN_OR_FAIL(const base::WipingBytes digest, lease->Finish());
  out.Write(digest);
  return {};
}

}  // namespace

Status DigestInit(Module& module, CK_SESSION_HANDLE session,
                  CK_MECHANISM* mechanism) {
  RETURN_IF_FAILED(CheckFree(module, session, &Session::digest));
  const Mechanism* const row = FindMechanism(mechanism->mechanism);
  if (row == nullptr || row->scheme != Scheme::kDigest) {
    return Failure(CKR_MECHANISM_INVALID);
  }
  if (!HasNoParameter(*mechanism)) {
    return Failure(CKR_MECHANISM_PARAM_INVALID);
  }
  ASSIGN_OR_FAIL(Message message, Message::Create(row->hash, module.library()));
  std::unique_ptr<DigestOperation> operation =
      std::make_unique<Digesting>(*row->hash, std::move(message));
  return Start(module, session, &Session::digest, std::move(operation));
}

Status Digest(Module& module, CK_SESSION_HANDLE session, CK_BYTE* message,
              CK_ULONG size, CK_BYTE* out, CK_ULONG* out_size) {
  ASSIGN_OR_FAIL(DigestLease lease,
                 DigestLease::Take(module, session, &Session::digest));
  if (lease.in_parts()) {
    return Failure(CKR_OPERATION_ACTIVE);
  }
  return MakeDigest(lease, {message, size}, Output(out, out_size));
}

Status DigestUpdate(Module& module, CK_SESSION_HANDLE session, CK_BYTE* part,
                    CK_ULONG size) {
  ASSIGN_OR_FAIL(DigestLease lease,
                 DigestLease::Take(module, session, &Session::digest));
  RETURN_IF_FAILED(lease->Update({part, size}));
  lease.KeepInParts();
  return {};
}

// Of keys that callers may see anyway. A digest of another would tell something
// of it.
Status DigestKey(Module& module, CK_SESSION_HANDLE session,
                 CK_OBJECT_HANDLE key) {
  // First, so that a handle that is wrong ends the operation, too.
  ASSIGN_OR_FAIL(DigestLease lease,
                 DigestLease::Take(module, session, &Session::digest));
  ASSIGN_OR_FAIL(const auto object, module.FindKey(session, key));
  if (object->secret == nullptr ||
      object->attributes.Find(CKA_VALUE) == nullptr) {
    return Failure(CKR_KEY_INDIGESTIBLE);
  }
  RETURN_IF_FAILED(lease->Update(*object->secret));
  lease.KeepInParts();
  return {};
}

Status DigestFinal(Module& module, CK_SESSION_HANDLE session, CK_BYTE* out,
                   CK_ULONG* out_size) {
  ASSIGN_OR_FAIL(DigestLease lease,
                 DigestLease::Take(module, session, &Session::digest));
  return MakeDigest(lease, {}, Output(out, out_size));
}

}  // namespace pkcs11::module
