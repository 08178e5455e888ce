// SPDX-License-Identifier: Apache-2.0
// PKCS#11 2.40 sections 5.7 and 5.13: making, naming and destroying keys.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/utf8.h"
#include "pkcs11/module/certificate_changes.h"
#include "pkcs11/module/functions.h"
#include "pkcs11/module/key_loader.h"
#include "pkcs11/module/key_template.h"
#include "pkcs11/module/key_use.h"
#include "pkcs11/module/log.h"
#include "pkcs11/module/module.h"
#include "pkcs11/module/soft/data_key.h"
#include "pkcs11/module/soft/key_pair.h"
#include "pkcs11/module/soft/secret_key.h"
#include "pkcs11/module/soft/session_changes.h"
#include "pkcs11/module/template_check.h"

namespace pkcs11::module {
namespace {

using base::Json;

constexpr std::size_t kMaxAliasBytes = 250;
constexpr std::size_t kMaxTagCharacters = 256;

// Calls an operation that changes something.
Answer<Json> Change(Token& token, std::string_view operation,
                    const Json& request) {
  base::Result<Json> reply = token.kms().Call(operation, request);
  token.NoteChange();
  if (!reply.has_value()) {
    const base::Error& error = reply.error();
    return Failure(RvOfObjectChange(error.code), error.message);
  }
  return *std::move(reply);
}

Json Tag(std::string_view name, std::string_view value) {
  return {{"TagKey", base::WipingString(name)},
          {"TagValue", base::WipingString(value)}};
}

// The tags in which a label and an id are kept; null where there is none.
Json TagsOf(const std::string* label, const base::WipingBytes* id) {
  Json tags = Json::array();
  if (label != nullptr) {
    tags.push_back(Tag(kLabelTag, *label));
  }
  if (id != nullptr) {
    tags.push_back(Tag(kIdTag, base::HexEncode(*id)));
  }
  return tags;
}

bool CanBeAlias(std::string_view label) {
  constexpr std::string_view kLegal =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_-";
  return !label.empty() && label.size() <= kMaxAliasBytes &&
         label.find_first_not_of(kLegal) == std::string_view::npos &&
         !label.starts_with("aws/");
}

// A key that nobody sees is of no use to who made it, and is made again.
Status CheckWillBeShown(const KeyFilter& filter, const NewKey& key) {
  if (!filter.key_ids.empty()) {
    return Failure(
        CKR_ACTION_PROHIBITED,
        "the token shows the keys of filter.key_ids and no new ones");
  }
  if (!filter.alias_prefix.empty() &&
      (!CanBeAlias(key.label) || !key.label.starts_with(filter.alias_prefix))) {
    return Failure(
        CKR_ATTRIBUTE_VALUE_INVALID,
        fmt::format("the token shows keys whose alias begins with '{}' "
                    "(filter.alias_prefix): give the new key such a label",
                    filter.alias_prefix));
  }
  return {};
}

Status CheckLabel(std::string_view label) {
  if (!base::IsUtf8(label)) {
    return Failure(CKR_ATTRIBUTE_VALUE_INVALID, "the label is not UTF-8");
  }
  const auto goes_on = [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
  };
  const auto goes_on_count =
      static_cast<std::size_t>(std::ranges::count_if(label, goes_on));
  if (label.size() - goes_on_count > kMaxTagCharacters) {
    return Failure(CKR_ATTRIBUTE_VALUE_INVALID,
                   "the label has more than 256 characters");
  }
  return {};
}

// It is kept in hexadecimal.
Status CheckId(base::ByteView id) {
  if (id.size() * 2 > kMaxTagCharacters) {
    return Failure(CKR_ATTRIBUTE_VALUE_INVALID,
                   "the id has more than 128 bytes");
  }
  return {};
}

// A courtesy to who looks for the key with other tools, for the label is in a
// tag; unless the alias decides whether the token shows the key.
Status AddAlias(Token& token, const std::string& label, const Json& key_id) {
  if (!CanBeAlias(label)) {
    return {};
  }
  const Json request = {{"AliasName", base::WipingString("alias/" + label)},
                        {"TargetKeyId", key_id}};
  const Answer<Json> reply = Change(token, "CreateAlias", request);
  if (reply.has_value()) {
    return {};
  }
  LogLine("the new key has no alias: " + reply.error().message);
  if (token.options().filter.alias_prefix.empty()) {
    return {};
  }
  static_cast<void>(
      Change(token, "ScheduleKeyDeletion",
             {{"KeyId", key_id},
              {"PendingWindowInDays", token.options().destroy_after.count()}}));
  return reply.error();
}

// Makes the key and returns its ARN.
Answer<std::string> MakeKey(Token& token, const NewKey& key) {
  const KeyFilter& filter = token.options().filter;
  RETURN_IF_FAILED(CheckLabel(key.label));
  RETURN_IF_FAILED(CheckId(key.id));
  RETURN_IF_FAILED(CheckWillBeShown(filter, key));
  Json request = {{"KeySpec", base::WipingString(key.spec->name)},
                  {"KeyUsage", base::WipingString(UsageName(key.usage))}};
  Json tags = TagsOf(key.label.empty() ? nullptr : &key.label,
                     key.id.empty() ? nullptr : &key.id);
  if (filter.tag.has_value()) {
    tags.push_back(Tag(filter.tag->key, filter.tag->value));
  }
  if (!tags.empty()) {
    request["Tags"] = std::move(tags);
  }
  ASSIGN_OR_FAIL(const Json reply, Change(token, "CreateKey", request));
  const auto metadata = reply.find("KeyMetadata");
  if (metadata == reply.end() || !metadata->is_object() ||
      !TextMember(*metadata, "Arn").has_value()) {
    return Failure(CKR_DEVICE_ERROR, "CreateKey's reply has no ARN");
  }
  RETURN_IF_FAILED(AddAlias(token, key.label, (*metadata)["Arn"]));
  return std::string(*TextMember(*metadata, "Arn"));
}

// The KMS is not asked again: had that failed, the key would be lost to its
// maker.
CK_OBJECT_HANDLE HandleOf(CK_OBJECT_CLASS object_class,
                          const std::string& arn) {
  return module::HandleOf(UniqueId(arn, object_class));
}

// Wishes that a key of the KMS does not grant. That a PIN guards each use is
// not passed over where there are no PINs.
Status HeedWishes(const Token& token, const NewKey& key,
                  CK_OBJECT_CLASS object_class, const AttributeSet& wanted) {
  if (wanted.IsTrue(CKA_ALWAYS_AUTHENTICATE) &&
      token.options().login == LoginMode::kNone) {
    return Failure(CKR_TEMPLATE_INCONSISTENT,
                   "nobody logs in to this token, so that no key can be "
                   "CKA_ALWAYS_AUTHENTICATE");
  }
  Status granted = CheckWishes(key, object_class, wanted, token.options());
  if (granted.has_value() || token.options().strict_templates) {
    return granted;
  }
  LogLine(LogLevel::kInfo, "passed over: " + granted.error().message);
  return {};
}

Answer<AttributeSet> Read(const CK_ATTRIBUTE* rows, CK_ULONG count) {
  std::optional<AttributeSet> set = ReadTemplate(rows, count);
  if (!set.has_value()) {
    return Failure(CKR_ARGUMENTS_BAD);
  }
  return *std::move(set);
}

// The rest of a token's object never changes, whoever says what it is anyway.
Status CheckMaySet(const Object& object, CK_ATTRIBUTE_TYPE type,
                   base::ByteView value) {
  if (type == CKA_LABEL || type == CKA_ID) {
    return {};
  }
  CK_ATTRIBUTE row = {type, nullptr, 0};
  if (object.attributes.Answer(row) == CKR_ATTRIBUTE_TYPE_INVALID) {
    return Failure(CKR_ATTRIBUTE_TYPE_INVALID);
  }
  const base::WipingBytes* const now = object.attributes.Find(type);
  if (now == nullptr || !std::ranges::equal(*now, value)) {
    return Failure(CKR_ATTRIBUTE_READ_ONLY);
  }
  return {};
}

// Java renames an entry by giving the key another CKA_ID and then destroying
// what has the old alias, which is a certificate's label; here that is the
// same key's.
Status CheckMayDestroy(const Token& token, const Key& key) {
  if (!token.options().destroy) {
    return Failure(CKR_ACTION_PROHIBITED,
                   "destroy = false in the configuration keeps keys");
  }
  if (token.HasNewId(key.arn)) {
    return Failure(CKR_ACTION_PROHIBITED,
                   fmt::format("{} has got another CKA_ID from this process: "
                               "one that renames a key must not destroy it; to "
                               "be rid of it, destroy it from another process",
                               key.arn));
  }
  return {};
}

Answer<Object> MakeSessionSecret(Module& module, CK_SESSION_HANDLE session,
                                 const CK_MECHANISM& mechanism,
                                 const AttributeSet& wanted) {
  if (mechanism.mechanism != CKM_KMS_DATA_KEY_GEN) {
    return GenerateSecretKey(mechanism.mechanism, wanted, module.library());
  }
  const auto parameter = ParameterOf<CK_KMS_DATA_KEY_PARAMS>(mechanism);
  if (!parameter.has_value()) {
    return Failure(CKR_MECHANISM_PARAM_INVALID);
  }
  ASSIGN_OR_FAIL(Token * token, module.TokenOf(session));
  ASSIGN_OR_FAIL(const auto key, module.FindKey(session, parameter->hKey));
  return GenerateDataKey(*key, *parameter, wanted, token->kms());
}

Status GenerateSessionPair(Module& module, CK_SESSION_HANDLE session,
                           CK_MECHANISM_TYPE mechanism,
                           const AttributeSet& of_public,
                           const AttributeSet& of_private,
                           CK_OBJECT_HANDLE* public_handle,
                           CK_OBJECT_HANDLE* private_handle) {
  ASSIGN_OR_FAIL(const Token* token, module.TokenOf(session));
  if (!token->options().session_keypairs) {
    return Failure(CKR_TEMPLATE_INCONSISTENT,
                   "key pairs are made on the token only (CKA_TOKEN): "
                   "session_keypairs is off");
  }
  ASSIGN_OR_FAIL(ObjectPair pair, GeneratePair(mechanism, of_public, of_private,
                                               module.library()));
  if (token->options().strict_templates) {
    RETURN_IF_FAILED(CheckHas(pair.public_key, of_public));
    RETURN_IF_FAILED(CheckHas(pair.private_key, of_private));
  }
  ASSIGN_OR_FAIL(*public_handle,
                 module.AddSessionObject(session, std::move(pair.public_key)));
  ASSIGN_OR_FAIL(*private_handle,
                 module.AddSessionObject(session, std::move(pair.private_key)));
  return {};
}

}  // namespace

// Without CKA_TOKEN no key of the KMS is made.
Status GenerateKey(Module& module, CK_SESSION_HANDLE session,
                   CK_MECHANISM* mechanism, CK_ATTRIBUTE* rows, CK_ULONG count,
                   CK_OBJECT_HANDLE* handle) {
  ASSIGN_OR_FAIL(const AttributeSet wanted, Read(rows, count));
  ASSIGN_OR_FAIL(Token * token, module.TokenOf(session));
  if (mechanism->mechanism == CKM_KMS_DATA_KEY_GEN ||
      !wanted.IsTrue(CKA_TOKEN)) {
    ASSIGN_OR_FAIL(Object object,
                   MakeSessionSecret(module, session, *mechanism, wanted));
    if (token->options().strict_templates) {
      RETURN_IF_FAILED(CheckHas(object, wanted));
    }
    ASSIGN_OR_FAIL(*handle,
                   module.AddSessionObject(session, std::move(object)));
    return {};
  }
  RETURN_IF_FAILED(module.WritableTokenOf(session));
  ASSIGN_OR_FAIL(const NewKey key,
                 ReadSecretTemplate(mechanism->mechanism, wanted));
  RETURN_IF_FAILED(HeedWishes(*token, key, CKO_SECRET_KEY, wanted));
  ASSIGN_OR_FAIL(const std::string arn, MakeKey(*token, key));
  *handle = HandleOf(CKO_SECRET_KEY, arn);
  return {};
}

Status GenerateKeyPair(Module& module, CK_SESSION_HANDLE session,
                       CK_MECHANISM* mechanism, CK_ATTRIBUTE* public_rows,
                       CK_ULONG public_count, CK_ATTRIBUTE* private_rows,
                       CK_ULONG private_count, CK_OBJECT_HANDLE* public_handle,
                       CK_OBJECT_HANDLE* private_handle) {
  ASSIGN_OR_FAIL(const AttributeSet of_public, Read(public_rows, public_count));
  ASSIGN_OR_FAIL(const AttributeSet of_private,
                 Read(private_rows, private_count));
  if (!of_private.IsTrue(CKA_TOKEN)) {
    return GenerateSessionPair(module, session, mechanism->mechanism, of_public,
                               of_private, public_handle, private_handle);
  }
  ASSIGN_OR_FAIL(Token * token, module.WritableTokenOf(session));
  ASSIGN_OR_FAIL(const NewKey key, ReadPairTemplates(mechanism->mechanism,
                                                     of_public, of_private));
  RETURN_IF_FAILED(HeedWishes(*token, key, CKO_PUBLIC_KEY, of_public));
  RETURN_IF_FAILED(HeedWishes(*token, key, CKO_PRIVATE_KEY, of_private));
  ASSIGN_OR_FAIL(const std::string arn, MakeKey(*token, key));
  *public_handle = HandleOf(CKO_PUBLIC_KEY, arn);
  *private_handle = HandleOf(CKO_PRIVATE_KEY, arn);
  return {};
}

// Label and id belong to the key, and so to both objects of a pair.
Status SetAttributeValue(Module& module, CK_SESSION_HANDLE session,
                         CK_OBJECT_HANDLE handle, CK_ATTRIBUTE* rows,
                         CK_ULONG count) {
  ASSIGN_OR_FAIL(const AttributeSet wanted, Read(rows, count));
  if (IsSessionObject(handle)) {
    return ChangeSessionObject(module, session, handle, wanted);
  }
  ASSIGN_OR_FAIL(Token * token, module.WritableTokenOf(session));
  ASSIGN_OR_FAIL(const auto object, module.FindObject(session, handle));
  if (object->object_class == CKO_CERTIFICATE) {
    return Failure(CKR_ACTION_PROHIBITED);
  }
  for (const auto& [type, value] : wanted.values()) {
    RETURN_IF_FAILED(CheckMaySet(*object, type, value));
  }
  std::string label;
  const base::WipingBytes* const new_label = wanted.Find(CKA_LABEL);
  if (new_label != nullptr) {
    label = base::AsText(*new_label);
    RETURN_IF_FAILED(CheckLabel(label));
  }
  const base::WipingBytes* const new_id = wanted.Find(CKA_ID);
  if (new_id != nullptr) {
    RETURN_IF_FAILED(CheckId(*new_id));
  }
  const Json tags = TagsOf(new_label != nullptr ? &label : nullptr, new_id);
  if (tags.empty()) {
    return {};
  }
  RETURN_IF_FAILED(Change(
      *token, "TagResource",
      {{"KeyId", base::WipingString(object->key->arn)}, {"Tags", tags}}));
  const base::WipingBytes* const id = object->attributes.Find(CKA_ID);
  if (new_id != nullptr && (id == nullptr || *id != *new_id)) {
    token->NoteNewId(object->key->arn);
  }
  return {};
}

// A key of the KMS is destroyed after a waiting time, and gone from here at
// once, with its public key. A public key alone is only put out of this
// process's sight: programs clear away what they think they have made.
Status DestroyObject(Module& module, CK_SESSION_HANDLE session,
                     CK_OBJECT_HANDLE handle) {
  if (IsSessionObject(handle)) {
    return DestroySessionObject(module, session, handle);
  }
  ASSIGN_OR_FAIL(Token * token, module.WritableTokenOf(session));
  ASSIGN_OR_FAIL(const auto object, module.FindObject(session, handle));
  if (object->object_class == CKO_CERTIFICATE) {
    return RemoveTokenCertificate(*token, *object);
  }
  if (object->object_class == CKO_PUBLIC_KEY) {
    token->Hide(object->unique_id);
    return {};
  }
  RETURN_IF_FAILED(CheckMayDestroy(*token, *object->key));
  const auto days = token->options().destroy_after.count();
  RETURN_IF_FAILED(Change(*token, "ScheduleKeyDeletion",
                          {{"KeyId", base::WipingString(object->key->arn)},
                           {"PendingWindowInDays", days}}));
  token->NoteDestroyed(object->key->arn);
  LogLine(fmt::format("{} will be deleted in {} days", object->key->arn, days));
  return {};
}

}  // namespace pkcs11::module
