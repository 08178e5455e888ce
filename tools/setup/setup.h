// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_SETUP_SETUP_H_
#define TOOLS_SETUP_SETUP_H_

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "tools/config/config.h"

// The steps that a development server and `claviger init` have in common.
namespace tools::setup {

// The folder of a development server: the same path from the root, without a
// slash at its end.
base::Result<std::string> DevFolder(const std::string& path);

// The path of SoftHSM's module; kNotFound with what to install.
base::Result<std::string> FindSoftHsm();

// Writes a random PIN to `path`, readable by its owner only; keeps one that is
// there.
base::Status MakePinFile(const std::string& path);

// Writes SoftHSM's configuration for tokens under `token_folder`, and names it
// in our environment for the programs that we start.
base::Status UseSoftHsmConfiguration(const std::string& path,
                                     const std::string& token_folder);

// Whether `path` holds exactly what that writes.
bool IsSoftHsmConfiguration(const std::string& path,
                            const std::string& token_folder);

// Makes a token called `label`, by claviger-hsm. `mark` is a file that is
// written once the token is whole: if it is there, nothing is done.
base::Status MakeToken(const config::Token& token, std::string_view label,
                       const std::string& so_pin_file, const std::string& mark);

// Whether a new store may move into the token, by claviger-hsm, which says why
// not: it is unfit, or holds another store's keys, which `adopt` accepts.
base::Status CheckVacant(const config::KeyStore& store, bool adopt);

// The options by which claviger-hsm is told of `token`.
std::vector<std::string> TokenOptions(const config::Token& token);

// Workers are a claviger-hsm process of ours, which serves until this is
// destroyed, to our own uid.
class Workers {
 public:
  // Those of a token; those that ask XKS proxies. Returns when it listens.
  // Fails with kHsmUnavailable if it does not.
  static base::Result<Workers> Start(const config::Token& token);
  static base::Result<Workers> Start(const config::XksClient& client);

  Workers() = default;
  Workers(Workers&& other) noexcept;
  Workers& operator=(Workers&& other) noexcept;
  ~Workers();

  // Whether the process has ended without having been told to.
  bool HaveEnded() const;

 private:
  explicit Workers(pid_t supervisor) : supervisor_(supervisor) {}
  static base::Result<Workers> StartWith(std::vector<std::string> arguments);
  void Stop();

  pid_t supervisor_ = -1;
};

}  // namespace tools::setup

#endif  // TOOLS_SETUP_SETUP_H_
