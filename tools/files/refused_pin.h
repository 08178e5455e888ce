// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_FILES_REFUSED_PIN_H_
#define TOOLS_FILES_REFUSED_PIN_H_

#include <string>

#include "base/result.h"

namespace tools {

// A RefusedPin remembers, in a small file, that a token has refused the PIN in
// its PIN file: a claviger-hsm that is started again and again must not lock
// the token. The file says which token and which version of the PIN file that
// was (inode, size, time), and nothing of the PIN. Not synchronised.
class RefusedPin {
 public:
  // The file is called by `name` in the folder $STATE_DIRECTORY, which systemd
  // sets, or else lies beside `socket`.
  struct Token {
    std::string name;
    std::string socket;
    std::string module;
    std::string uri;
    std::string pin_file;
  };
  explicit RefusedPin(const Token& token);

  // Call before the PIN file is read. Fails with kAccessDenied, saying what to
  // mend, if the token has refused the PIN of this version of it. What systemd
  // has put into $CREDENTIALS_DIRECTORY is a new file at each start, so that
  // there is one version only.
  base::Status Check();

  // The token has refused it. What cannot be written is logged.
  void Note() const;
  // The token has taken it, or the operator says that it will.
  void Forget() const;

  const std::string& file() const { return file_; }

 private:
  std::string Describe() const;

  std::string file_;
  std::string token_;
  std::string pin_file_;
  std::string checked_;  // What Describe() said then.
};

}  // namespace tools

#endif  // TOOLS_FILES_REFUSED_PIN_H_
