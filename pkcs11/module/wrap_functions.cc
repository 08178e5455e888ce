// SPDX-License-Identifier: Apache-2.0
// PKCS#11 2.40 section 5.13: wrapping and unwrapping secret keys of sessions,
// with keys of the KMS or of sessions.
#include <algorithm>
#include <array>
#include <utility>

#include "pkcs11/module/cipher.h"
#include "pkcs11/module/functions.h"
#include "pkcs11/module/module.h"
#include "pkcs11/module/output.h"
#include "pkcs11/module/soft/secret_key.h"

namespace pkcs11::module {
namespace {

// What goes wrong with a text is called otherwise where that is a key.
struct RenamedRv {
  CK_RV of_text;
  CK_RV of_key;
};
constexpr std::array kWrapping = {
    RenamedRv{CKR_KEY_HANDLE_INVALID, CKR_WRAPPING_KEY_HANDLE_INVALID},
    RenamedRv{CKR_KEY_TYPE_INCONSISTENT, CKR_WRAPPING_KEY_TYPE_INCONSISTENT},
    RenamedRv{CKR_DATA_LEN_RANGE, CKR_KEY_SIZE_RANGE},
};
constexpr std::array kUnwrapping = {
    RenamedRv{CKR_KEY_HANDLE_INVALID, CKR_UNWRAPPING_KEY_HANDLE_INVALID},
    RenamedRv{CKR_KEY_TYPE_INCONSISTENT, CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT},
    RenamedRv{CKR_ENCRYPTED_DATA_INVALID, CKR_WRAPPED_KEY_INVALID},
    RenamedRv{CKR_ENCRYPTED_DATA_LEN_RANGE, CKR_WRAPPED_KEY_LEN_RANGE},
};

template <typename T, std::size_t kSize>
Answer<T> Renamed(Answer<T> answer, const std::array<RenamedRv, kSize>& names) {
  if (!answer.has_value()) {
    Failure& failure = answer.error();
    const auto* const row =
        std::ranges::find(names, failure.rv, &RenamedRv::of_text);
    failure.rv = row == names.end() ? failure.rv : row->of_key;
  }
  return answer;
}

// The secret of a key that may be wrapped.
Answer<base::ByteView> WrappableSecret(const Object& object) {
  if (object.object_class == CKO_PUBLIC_KEY) {
    return Failure(CKR_KEY_NOT_WRAPPABLE);
  }
  // What the KMS holds stays there, and so do private keys of sessions.
  if (object.secret == nullptr || !object.attributes.IsTrue(CKA_EXTRACTABLE)) {
    return Failure(CKR_KEY_UNEXTRACTABLE);
  }
  // No key here is CKA_TRUSTED.
  if (object.attributes.IsTrue(CKA_WRAP_WITH_TRUSTED)) {
    return Failure(CKR_KEY_NOT_WRAPPABLE);
  }
  return base::ByteView(*object.secret);
}

Answer<base::WipingBytes> Run(CipherOperation& operation, base::ByteView text) {
  ASSIGN_OR_FAIL(base::WipingBytes out, operation.Update(text));
  ASSIGN_OR_FAIL(const base::WipingBytes rest, operation.Finish());
  out.insert(out.end(), rest.begin(), rest.end());
  return out;
}

}  // namespace

Status WrapKey(Module& module, CK_SESSION_HANDLE session,
               CK_MECHANISM* mechanism, CK_OBJECT_HANDLE wrapping_key,
               CK_OBJECT_HANDLE key, CK_BYTE* out, CK_ULONG* out_size) {
  ASSIGN_OR_FAIL(Token * token, module.TokenOf(session));
  ASSIGN_OR_FAIL(const auto wrapped, module.FindKey(session, key));
  ASSIGN_OR_FAIL(const auto wrapping,
                 Renamed(module.FindKey(session, wrapping_key), kWrapping));
  ASSIGN_OR_FAIL(const base::ByteView secret, WrappableSecret(*wrapped));
  ASSIGN_OR_FAIL(const auto operation,
                 Renamed(StartEncrypting(*wrapping, *mechanism, CipherUse::kKey,
                                         token->kms(), module.library()),
                         kWrapping));
  Output output(out, out_size);
  if (out == nullptr || *out_size < operation->RoomToBegin(secret.size())) {
    *out_size = operation->LargestOutput(secret.size());
    return output.NoRoom();
  }
  ASSIGN_OR_FAIL(const base::WipingBytes made,
                 Renamed(Run(*operation, secret), kWrapping));
  if (!output.HasRoomFor(made.size())) {
    return output.NoRoom();
  }
  output.Write(made);
  return {};
}

// The template is looked at before the KMS is asked.
Status UnwrapKey(Module& module, CK_SESSION_HANDLE session,
                 CK_MECHANISM* mechanism, CK_OBJECT_HANDLE unwrapping_key,
                 CK_BYTE* wrapped, CK_ULONG size, CK_ATTRIBUTE* rows,
                 CK_ULONG count, CK_OBJECT_HANDLE* handle) {
  ASSIGN_OR_FAIL(Token * token, module.TokenOf(session));
  ASSIGN_OR_FAIL(const auto key,
                 Renamed(module.FindKey(session, unwrapping_key), kUnwrapping));
  const std::optional<AttributeSet> wanted = ReadTemplate(rows, count);
  if (!wanted.has_value()) {
    return Failure(CKR_ARGUMENTS_BAD);
  }
  const std::optional<CK_ULONG> type = wanted->Number(CKA_KEY_TYPE);
  if (!type.has_value()) {
    return Failure(CKR_TEMPLATE_INCOMPLETE);
  }
  RETURN_IF_FAILED(CheckSecretKeyTemplate(*wanted, *type));
  ASSIGN_OR_FAIL(const auto operation,
                 Renamed(StartDecrypting(*key, *mechanism, CipherUse::kKey,
                                         token->kms(), module.library()),
                         kUnwrapping));
  ASSIGN_OR_FAIL(base::WipingBytes value,
                 Renamed(Run(*operation, {wrapped, size}), kUnwrapping));
  const KeyOrigin origin = {mechanism->mechanism};
  ASSIGN_OR_FAIL(Object object,
                 MakeSecretKey(*wanted, *type, origin, std::move(value)));
  ASSIGN_OR_FAIL(*handle, module.AddSessionObject(session, std::move(object)));
  return {};
}

}  // namespace pkcs11::module
