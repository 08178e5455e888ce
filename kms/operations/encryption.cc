// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/encryption.h"

#include <fmt/format.h>

#include <utility>

#include "kms/key_spec.h"
#include "kms/operations/seal.h"
#include "kms/operations/usage.h"
#include "kms/public_key.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::ErrorCode;

bool IsSymmetric(const Key& key) {
  return key.spec == KeySpec::kSymmetricDefault;
}

// In clavigerd: the public key is in the store.
base::Result<Encrypted> EncryptOaep(const Key& key, std::string_view algorithm,
                                    base::ByteView plaintext) {
  const auto hash = OaepHash(algorithm);
  const std::size_t maximum = OaepMaximum(key.spec, *hash);
  if (plaintext.size() > maximum) {
    return Error{ErrorCode::kValidation,
                 fmt::format("Algorithm {} and key spec {} cannot encrypt data "
                             "larger than {} bytes.",
                             algorithm, KeySpecName(key.spec), maximum)};
  }
  ASSIGN_OR_RETURN(const PublicKey public_key,
                   PublicKey::Parse(key.CurrentMaterial().public_key));
  Encrypted encrypted;
  ASSIGN_OR_RETURN(encrypted.blob, public_key.EncryptOaep(*hash, plaintext));
  return encrypted;
}

asio::awaitable<base::Result<Decrypted>> DecryptOaep(
    Call& call, const Key& key, std::string_view algorithm) {
  const base::ByteView blob = call.Blob("CiphertextBlob")->Reveal();
  if (blob.size() != ModulusSize(key.spec)) {
    co_return Error{ErrorCode::kInvalidCiphertext, ""};
  }
  CO_ASSIGN_OR_RETURN(hsm::client::Client* const hsm, HsmOf(call, key));
  hsm::RsaDecryptRequest request;
  request.key = key.CurrentMaterial().ref;
  request.hash = *OaepHash(algorithm);
  request.ciphertext.assign(blob.begin(), blob.end());
  auto opened = co_await hsm->Call(std::move(request));
  if (!opened && opened.error().code == ErrorCode::kInvalidCiphertext) {
    co_return Error{ErrorCode::kInvalidCiphertext, ""};
  }
  if (!opened) {
    co_return MaterialError(call, key, opened.error());
  }
  Decrypted decrypted;
  decrypted.plaintext = std::move(opened->plaintext);
  co_return decrypted;
}

}  // namespace

std::string_view AlgorithmOf(const Call& call, const Side& side) {
  return call.Text(side.algorithm)
      .value_or(KeySpecName(KeySpec::kSymmetricDefault));
}

bool IsAsymmetric(const Call& call, const Side& side) {
  return OaepHash(AlgorithmOf(call, side)).has_value();
}

base::Status RequireKeyOfAsymmetric(const Call& call, const Side& side,
                                    std::string_view key_member) {
  if (!IsAsymmetric(call, side) || call.Find(key_member) != nullptr) {
    return {};
  }
  return Error{ErrorCode::kValidation,
               fmt::format("You must specify {} with {} {}.", key_member,
                           side.algorithm, AlgorithmOf(call, side))};
}

base::Status CheckSide(const Call& call, const Key& key, const Side& side) {
  RETURN_IF_ERROR(RequireUsage(key, KeyUsage::kEncryptDecrypt, side.operation));
  RETURN_IF_ERROR(RequireAlgorithm(key, AlgorithmOf(call, side)));
  return IsSymmetric(key) ? base::Status() : RefuseContext(call, side.context);
}

asio::awaitable<base::Result<Encrypted>> EncryptUnder(Call& call,
                                                      const Key& key,
                                                      const Side& side,
                                                      base::Secret plaintext) {
  if (!IsSymmetric(key)) {
    co_return EncryptOaep(key, AlgorithmOf(call, side), plaintext.Reveal());
  }
  const EncryptionContext context = call.Context(side.context);
  CO_ASSIGN_OR_RETURN(const Binding binding,
                      co_await BindForSealing(call, key, context));
  hsm::EncryptRequest request;
  request.key = binding.ref;
  request.counter = binding.counter;
  request.aad = binding.aad;
  request.plaintext = std::move(plaintext);
  const auto sealed = co_await binding.hsm->Call(std::move(request));
  if (!sealed) {
    co_return MaterialError(call, key, sealed.error());
  }
  Encrypted encrypted;
  CO_ASSIGN_OR_RETURN(encrypted.blob,
                      co_await FinishCiphertext(call, key, binding, *sealed));
  encrypted.material = binding.header.material;
  co_return encrypted;
}

asio::awaitable<base::Result<Decrypted>> DecryptUnder(Call& call,
                                                      const Key& key,
                                                      const Side& side) {
  if (!IsSymmetric(key)) {
    co_return co_await DecryptOaep(call, key, AlgorithmOf(call, side));
  }
  CO_ASSIGN_OR_RETURN(const Binding binding,
                      BindForOpening(call, key, call.ciphertext->header,
                                     call.Context(side.context)));
  hsm::DecryptRequest request;
  request.key = binding.ref;
  request.aad = binding.aad;
  CO_ASSIGN_OR_RETURN(request.sealed, co_await TakeSealed(call, key, binding));
  auto opened = co_await binding.hsm->Call(std::move(request));
  if (!opened) {
    co_return MaterialError(call, key, opened.error());
  }
  Decrypted decrypted;
  decrypted.plaintext = std::move(opened->plaintext);
  decrypted.material = binding.header.material;
  co_return decrypted;
}

}  // namespace kms::operations
