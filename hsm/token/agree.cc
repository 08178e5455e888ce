// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/agree.h"

#include <fmt/format.h>

#include <algorithm>

#include "hsm/algorithms.h"
#include "hsm/token/attributes.h"
#include "hsm/token/session_object.h"

namespace hsm::token {

using base::Error;
using base::ErrorCode;

// Without CKA_VALUE_LEN, which cuts.
base::Result<base::Secret> Agree(Sessions& sessions, Algorithm algorithm,
                                 ObjectHandle object, const PublicKey& peer) {
  const AlgorithmRow* row = FindAlgorithm(algorithm);
  if (row == nullptr || row->use != KeyUse::kAgree) {
    return Error{ErrorCode::kInvalidArgument, "the key does not agree"};
  }
  const Curve& curve = *FindCurve(algorithm);
  ASSIGN_OR_RETURN(const base::Bytes point, peer.Point(curve));
  Session& anchor = sessions.anchor();
  Template readable = ReadableTemplate(curve.size);
  readable.Remove(CKA_VALUE_LEN);
  ASSIGN_OR_RETURN(const ObjectHandle derived,
                   anchor.DeriveEcdh(object, point, readable).Take());
  SessionObject secret(anchor, derived);
  ASSIGN_OR_RETURN(const base::Secret x, anchor.ReadSecret(derived).Take());
  RETURN_IF_ERROR(secret.Destroy());
  if (x.size() == 0 || x.size() > curve.size) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("a shared secret of {} bytes, not {}", x.size(),
                             curve.size)};
  }
  base::Secret padded(curve.size);
  std::ranges::copy(x.Reveal(), padded.Reveal().last(x.size()).begin());
  return padded;
}

}  // namespace hsm::token
