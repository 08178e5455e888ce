// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_SOFTHSM_H_
#define HSM_TOKEN_SOFTHSM_H_

#include <string>
#include <string_view>

#include "base/result.h"

// What we know of SoftHSM 2 from outside its module: where its files are.
namespace hsm::token {

// The directory that holds all tokens, as SoftHSM itself finds it:
// directories.tokendir of $SOFTHSM2_CONF, or of ~/.config/softhsm2/
// softhsm2.conf, or of /etc/softhsm/softhsm2.conf. Fails with kInvalidArgument
// and the file to mend.
base::Result<std::string> SoftHsmTokenDirectory();

// directories.tokendir in the text of one configuration file, or kNotFound.
base::Result<std::string> TokenDirectoryIn(std::string_view configuration);

}  // namespace hsm::token

#endif  // HSM_TOKEN_SOFTHSM_H_
