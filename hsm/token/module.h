// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_MODULE_H_
#define HSM_TOKEN_MODULE_H_

#include <string>
#include <vector>

#include "base/result.h"
#include "hsm/token/cryptoki.h"

namespace hsm::token {

// What a slot's CK_TOKEN_INFO says, as text.
struct TokenIdentity {
  std::string label;
  std::string serial;
  std::string manufacturer;
  std::string model;
};

struct Slot {
  CK_SLOT_ID id = 0;
  TokenIdentity token;
  CK_FLAGS flags = 0;
  // At a time, of all programs; 0: no limit, or none that it tells.
  CK_ULONG max_sessions = 0;
};

// A Module is a PKCS#11 library in this process, loaded by its path and by
// nothing else (p11-kit's registered modules never come in), and initialised
// with CKF_OS_LOCKING_OK.
//
// Move-only, not thread-safe; hold the TokenLock to initialise and to finalise.
class Module {
 public:
  // Fails with kInvalidArgument if `path` is not absolute or not a module.
  static base::Result<Module> Load(const std::string& path);
  // Finalises, if initialised, and unloads.
  ~Module();
  Module(Module&& other) noexcept;
  Module& operator=(Module&&) = delete;

  // Fails with kInvalidArgument if the process has initialised it already: two
  // users of one library would log each other out. `parameters` are for those
  // libraries that want a text (NSS); empty for all others.
  base::Status Initialize(std::string parameters = {});
  void Finalize();

  // CK_INFO's manufacturerID.
  base::Result<std::string> Manufacturer() const;

  // The slot whose token matches the RFC 7512 `uri`. Fails with kNotFound if
  // there is none, and with kInvalidArgument if the URI is bad or two match.
  base::Result<Slot> FindSlot(const std::string& uri) const;

  // All slots that hold a token, initialised or not.
  base::Result<std::vector<Slot>> Slots() const;

  const CK_FUNCTION_LIST& functions() const { return *functions_; }

 private:
  explicit Module(CK_FUNCTION_LIST* functions) : functions_(functions) {}

  CK_FUNCTION_LIST* functions_;
  bool initialized_ = false;
};

}  // namespace hsm::token

#endif  // HSM_TOKEN_MODULE_H_
