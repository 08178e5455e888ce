// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_OAEP_MECHANISM_H_
#define HSM_TOKEN_OAEP_MECHANISM_H_

#include "hsm/token/hashes.h"
#include "hsm/token/session.h"

namespace hsm::token {

// RSAES-OAEP, empty label, MGF1 with the same hash. What it gives borrows from
// it.
class OaepMechanism {
 public:
  explicit OaepMechanism(const HashRow& hash)
      : parameters_{.hash_alg = hash.mechanism,
                    .mgf = hash.mgf1,
                    .source = CKZ_DATA_SPECIFIED,
                    .source_data = nullptr,
                    .source_data_len = 0} {}

  const CK_RSA_PKCS_OAEP_PARAMS& parameters() const { return parameters_; }
  Mechanism mechanism() const {
    return {CKM_RSA_PKCS_OAEP,
            {reinterpret_cast<const std::uint8_t*>(&parameters_),
             sizeof(parameters_)}};
  }

 private:
  CK_RSA_PKCS_OAEP_PARAMS parameters_;
};

}  // namespace hsm::token

#endif  // HSM_TOKEN_OAEP_MECHANISM_H_
