// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_KEY_MAKER_H_
#define HSM_TOKEN_KEY_MAKER_H_

#include <functional>

#include "hsm/messages.h"
#include "hsm/token/connection.h"
#include "hsm/token/key_cipher.h"
#include "hsm/token/object_index.h"
#include "hsm/token/profile.h"

// Making and destroying key objects: the calls that change a token. Each takes
// the lock for as long as the token's objects are in motion, and answers only
// when what it did is durable.
namespace hsm::token {

// What all calls work on. Borrowed.
struct Workshop {
  Connection& connection;
  const Profile& profile;
  ObjectIndex& index;
  KeyCipher& cipher;
};

// Has `make` make the token object with this locator, under the lock; twice, if
// its failure may pass. Fails with kAlreadyExists, before making anything, if
// the locator is taken. What it fails to make whole, it destroys again; what
// the token does not let go of is logged, and the first failure is the answer.
using Make = std::function<Answer<ObjectHandle>(Session&)>;
base::Result<ObjectHandle> Place(Workshop& workshop, const Locator& locator,
                                 const Make& make);

// Keeps a new object that passed its test: makes it durable and remembers it.
// Destroys one that did not, and fails with kCorrupt, or as the token did.
base::Status Conclude(Workshop& workshop, const Locator& locator,
                      ObjectHandle object, const base::Status& tested);

// The key object with this locator. Fails with kNotFound.
base::Result<ObjectHandle> FindObject(Workshop& workshop,
                                      const Locator& locator);

// Uses a secret key for what it is for, and returns its check value.
base::Result<CheckValue> TestSecret(Workshop& workshop, Algorithm algorithm,
                                    ObjectHandle object);

// Generates the AES or HMAC key, tests it by use, makes it durable. Fails with
// kAlreadyExists, before making anything, if the locator is taken; with
// kCorrupt if the new key did not work. What it fails to make whole, it
// destroys again, and nothing else.
base::Result<CheckValue> MakeKey(Workshop workshop,
                                 const GenerateKeyRequest& request);

// Destroys the one object with this locator. Fails with kNotFound.
base::Status DestroyKey(Workshop workshop, const Locator& locator);

}  // namespace hsm::token

#endif  // HSM_TOKEN_KEY_MAKER_H_
