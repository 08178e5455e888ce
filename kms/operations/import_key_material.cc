// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/random.h"
#include "kms/json_writer.h"
#include "kms/key_spec.h"
#include "kms/operations/handlers.h"
#include "kms/operations/import_token.h"
#include "kms/operations/imported_material.h"
#include "kms/operations/intents.h"
#include "kms/operations/multi_region.h"
#include "kms/operations/new_material.h"
#include "kms/operations/rotation.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;

constexpr auto kLongestValidity = std::chrono::days(365);
constexpr std::string_view kDoesNotExpire = "KEY_MATERIAL_DOES_NOT_EXPIRE";
constexpr std::string_view kNew = "NEW_KEY_MATERIAL";

Error Validation(std::string text) {
  return {ErrorCode::kValidation, std::move(text)};
}

// Shape-checked: a number of seconds. What no clock shows is long over.
std::optional<base::WallTime> ValidToOf(const Call& call) {
  const base::Json* const value = call.Find("ValidTo");
  if (value == nullptr) {
    return std::nullopt;
  }
  constexpr double kMost = 1e11;
  const double seconds = value->get<double>();
  if (!(seconds > 0 && seconds < kMost)) {
    return base::WallTime();
  }
  return base::WallTime(std::chrono::floor<std::chrono::microseconds>(
      std::chrono::duration<double>(seconds)));
}

bool Expires(const Call& call) {
  return call.Text("ExpirationModel") != kDoesNotExpire;
}

// Also of a key that has several, as by then known: pairs and HMAC keys keep
// their first material for ever, and a replica has what its primary key has.
base::Status CheckMembersFor(const Call& call, const Key& key) {
  const bool is_new = call.Text("ImportType") == kNew;
  if (is_new) {
    RETURN_IF_ERROR(CheckNotReplica(key));
  }
  if (IsRotatableKind(key)) {
    return {};
  }
  if (call.Text("KeyMaterialDescription")) {
    return Validation(
        "KeyMaterialDescription is only valid for symmetric encryption keys.");
  }
  if (is_new && !key.materials.empty()) {
    return Validation(fmt::format(
        "New key material cannot be imported into {}: only symmetric "
        "encryption keys can have several.",
        key.Arn()));
  }
  return {};
}

hsm::ImportKeyRequest RequestOf(const Call& call, const KeyStore& key_store,
                                const store::ImportPair& pair) {
  hsm::ImportKeyRequest request;
  request.key.algorithm = NewAlgorithm(key_store, *call.key);
  request.wrapping_key = pair.ref;
  request.wrapping = *pair.wrapping;
  request.strict = call.environment.strict_boundary;
  const auto wrapped = call.Blob("EncryptedKeyMaterial")->Reveal();
  request.wrapped.assign(wrapped.begin(), wrapped.end());
  return request;
}

// A material's place and what the token says of it.
struct Unwrapped {
  hsm::KeyRef ref;
  hsm::ImportKeyReply reply;
};

// Makes the token object under an intent, which the caller settles.
asio::awaitable<base::Result<Unwrapped>> UnwrapToObject(
    Call& call, KeyStore& key_store, hsm::ImportKeyRequest request) {
  Environment& environment = call.environment;
  CO_ASSIGN_OR_RETURN(
      request.key.locator,
      co_await AnnounceKey(environment, key_store, call.key->row_id));
  Unwrapped unwrapped{.ref = request.key, .reply = {}};
  auto imported = co_await key_store.hsm.Call(std::move(request));
  if (!imported) {
    co_await RollBackCreation(environment, key_store, unwrapped.ref.locator);
    co_return Error(imported.error());
  }
  unwrapped.reply = *std::move(imported);
  co_return unwrapped;
}

// Has the material wrapped at once: nothing of it stays on the token.
asio::awaitable<base::Result<Unwrapped>> UnwrapToWrap(
    KeyStore& key_store, hsm::ImportKeyRequest request) {
  base::RandomBytes(request.key.locator.bytes);
  request.store_wrapping_key = key_store.wrapping_key;
  Unwrapped unwrapped{.ref = request.key, .reply = {}};
  CO_ASSIGN_OR_RETURN(unwrapped.reply,
                      co_await key_store.hsm.Call(std::move(request)));
  unwrapped.ref.wrapped = std::make_shared<const hsm::WrappedKey>(
      hsm::WrappedKey{.wrapping_key = *key_store.wrapping_key,
                      .bytes = std::move(unwrapped.reply.wrapped),
                      .check_value = unwrapped.reply.check_value,
                      .public_key = unwrapped.reply.public_key});
  co_return unwrapped;
}

// Where new keys of the key store go, if the token can hold this one there.
asio::awaitable<base::Result<Unwrapped>> UnwrapInto(
    Call& call, KeyStore& key_store, const store::ImportPair& pair) {
  if (key_store.wrapping_key) {
    auto wrapped =
        co_await UnwrapToWrap(key_store, RequestOf(call, key_store, pair));
    if (wrapped || wrapped.error().code != ErrorCode::kUnsupportedOperation) {
      co_return wrapped;
    }
  }
  co_return co_await UnwrapToObject(call, key_store,
                                    RequestOf(call, key_store, pair));
}

asio::awaitable<base::Result<KeyMaterial>> Unwrap(
    Call& call, const store::ImportPair& pair) {
  const auto id = ParseKeyId(call.key->id);
  if (!id) {
    co_return Error{ErrorCode::kCorrupt,
                    "the store holds a key id that is none"};
  }
  // The pair is an object of its token.
  CO_ASSIGN_OR_RETURN(KeyStore* const key_store,
                      call.environment.key_stores.Find(pair.key_store));
  CO_ASSIGN_OR_RETURN(Unwrapped unwrapped,
                      co_await UnwrapInto(call, *key_store, pair));
  KeyMaterial material;
  material.ref = std::move(unwrapped.ref);
  material.id =
      MakeMaterialId(*id, unwrapped.reply.check_value, base::ThreadHasher());
  material.key_store = key_store->name;
  material.created = call.now;
  material.public_key = std::move(unwrapped.reply.public_key);
  material.current = false;
  Import import;
  import.imported = true;
  import.valid_to = Expires(call) ? ValidToOf(call) : std::nullopt;
  import.description = call.Text("KeyMaterialDescription").value_or("");
  material.import = std::move(import);
  co_return material;
}

// What came in, and what the key is to do with it.
struct Arrival {
  const Call& call;
  KeyMaterial material;
  // False: this key, or another one of its id, has that object already.
  bool keeps_object = true;
};

Error IncorrectMaterial(std::string text) {
  return {ErrorCode::kIncorrectKeyMaterial, std::move(text)};
}

base::Status TakeNew(store::Transaction& transaction, Key& key,
                     Arrival& arrival) {
  const KeyMaterial& material = arrival.material;
  if (key.FindMaterial(material.id) != nullptr) {
    return IncorrectMaterial(fmt::format(
        "The key material (id: {}) has been imported into {} before: import it "
        "again as EXISTING_KEY_MATERIAL.",
        base::HexEncode(material.id), key.Arn()));
  }
  if (const KeyMaterial* const pending = key.PendingRotation()) {
    return Error{
        ErrorCode::kInvalidState,
        fmt::format("New key material (id: {}) cannot be imported into KMS key "
                    "{}, because another key material (id: {}) is pending "
                    "rotation.",
                    base::HexEncode(material.id), key.Arn(),
                    base::HexEncode(pending->id))};
  }
  arrival.material.current = key.materials.empty();
  key.materials.push_back(arrival.material);
  return transaction.InsertImportedMaterial(key, arrival.material);
}

base::Status TakeAgain(store::Transaction& transaction, Key& key,
                       Arrival& arrival) {
  const auto named = arrival.call.Text("KeyMaterialId");
  const MaterialId id = arrival.material.id;
  const bool is_named = !named || *named == base::HexEncode(id);
  const auto known = std::ranges::find(key.materials, id, &KeyMaterial::id);
  if (known == key.materials.end() || !is_named) {
    return IncorrectMaterial(
        "The key material in the request is not the same key material that was "
        "previously imported into this KMS key.");
  }
  Import& import = *arrival.material.import;
  if (!arrival.call.Text("KeyMaterialDescription")) {
    import.description = known->import->description;
  }
  known->import = import;
  ASSIGN_OR_RETURN(const auto importers, transaction.GetImporters(id));
  arrival.keeps_object = importers.empty();
  if (arrival.keeps_object) {
    known->ref = arrival.material.ref;
    known->key_store = arrival.material.key_store;
    RETURN_IF_ERROR(transaction.MoveMaterial(key.id, *known));
  }
  return transaction.PutImportTerms(key.row_id, *known);
}

// In the transaction, on the key as it is there.
base::Status Take(store::Transaction& transaction, Arrival& arrival) {
  const Call& call = arrival.call;
  ASSIGN_OR_RETURN(Key key, transaction.GetKey(call.key->row_id));
  RETURN_IF_ERROR(CheckState(call.operation.states, key));
  RETURN_IF_ERROR(CheckMembersFor(call, key));
  const auto type = call.Text("ImportType");
  const bool is_new = type ? *type == kNew : key.materials.empty();
  if (is_new && call.Text("KeyMaterialId")) {
    return Validation(
        "KeyMaterialId cannot be specified for new key material.");
  }
  arrival.keeps_object = true;
  RETURN_IF_ERROR(is_new ? TakeNew(transaction, key, arrival)
                         : TakeAgain(transaction, key, arrival));
  if (key.state == KeyState::kPendingImport) {
    key.state = StateWithMaterials(key, KeyState::kEnabled);
  }
  RETURN_IF_ERROR(transaction.UpdateKey(key));
  return arrival.keeps_object ? SettleMaterial(transaction, arrival.material)
                              : base::Status();
}

}  // namespace

base::Status ValidateImportKeyMaterial(const Call& call) {
  const auto valid_to = ValidToOf(call);
  if (!Expires(call)) {
    return valid_to ? Validation(
                          "A validTo date must not be set if the "
                          "ExpirationModel is "
                          "KEY_MATERIAL_DOES_NOT_EXPIRE")
                    : base::Status();
  }
  if (!valid_to) {
    return Validation(
        "A validTo date must be set if the ExpirationModel is "
        "KEY_MATERIAL_EXPIRES");
  }
  if (*valid_to <= call.now || *valid_to > call.now + kLongestValidity) {
    return Validation(
        "The validTo date must be in the future, and no more "
        "than 365 days from now");
  }
  return {};
}

Answer ImportKeyMaterial(Call& call) {
  CO_RETURN_IF_ERROR(CheckImportable(*call.key));
  CO_RETURN_IF_ERROR(CheckMembersFor(call, *call.key));
  CO_ASSIGN_OR_RETURN(const store::ImportPair pair,
                      co_await OpenImportToken(call));
  CO_ASSIGN_OR_RETURN(KeyMaterial material, co_await Unwrap(call, pair));
  call.material_id = base::HexEncode(material.id);
  Arrival arrival{.call = call, .material = std::move(material)};
  auto change = [&arrival](store::Transaction& transaction) {
    return Take(transaction, arrival);
  };
  const base::Status committed = co_await call.Commit(change);
  if (!committed || !arrival.keeps_object) {
    co_await AbandonMaterial(call.environment, arrival.material);
  }
  CO_RETURN_IF_ERROR(committed);

  Reply reply;
  JsonWriter(reply.body)
      .BeginObject()
      .Text("KeyId", call.key->Arn())
      .Text("KeyMaterialId", call.material_id)
      .EndObject();
  co_return reply;
}

}  // namespace kms::operations
