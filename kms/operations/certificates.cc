// SPDX-License-Identifier: Apache-2.0
// Certificates that lie beside the key pairs that they are for, so that
// programs find both in one place. The KMS uses them for nothing.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "kms/certificate.h"
#include "kms/json_writer.h"
#include "kms/key_spec.h"
#include "kms/operations/handlers.h"

namespace kms::operations {
namespace {

using Certificates = std::vector<base::Bytes>;

base::Status CheckPair(const Call& call) {
  if (IsKeyPair(call.key->spec)) {
    return {};
  }
  return base::Error{base::ErrorCode::kUnsupportedOperation,
                     fmt::format("{} key spec is {} which is not valid for {}.",
                                 call.key->Arn(), KeySpecName(call.key->spec),
                                 call.operation.name)};
}

// The key's own certificate and then those of its chain.
base::Result<Certificates> ReadCertificates(const Call& call) {
  const base::Secret* const own = call.Blob("Certificate");
  const base::ByteView der = own->Reveal();
  RETURN_IF_ERROR(
      CheckCertificateOf(der, call.key->CurrentMaterial().public_key));
  Certificates certificates = {{der.begin(), der.end()}};
  const base::Json* const chain = call.Find("Chain");
  if (chain == nullptr) {
    return certificates;
  }
  for (const base::Json& item : *chain) {
    ASSIGN_OR_RETURN(base::Bytes more, base::Base64Decode(base::TextOf(item)));
    RETURN_IF_ERROR(CheckCertificate(more));
    certificates.push_back(std::move(more));
  }
  return certificates;
}

boost::asio::awaitable<base::Status> Replace(Call& call,
                                             Certificates certificates) {
  auto change =
      [&call, &certificates](store::Transaction& transaction) -> base::Status {
    ASSIGN_OR_RETURN(const Key key, transaction.GetKey(call.key->row_id));
    RETURN_IF_ERROR(CheckState(call.operation.states, key));
    return transaction.SetCertificates(key.row_id, certificates);
  };
  co_return co_await call.Commit(change);
}

Reply Named(const Call& call) {
  Reply reply;
  JsonWriter(reply.body)
      .BeginObject()
      .Text("KeyId", call.key->Arn())
      .EndObject();
  return reply;
}

}  // namespace

Answer PutCertificate(Call& call) {
  CO_RETURN_IF_ERROR(CheckPair(call));
  CO_ASSIGN_OR_RETURN(Certificates certificates, ReadCertificates(call));
  CO_RETURN_IF_ERROR(co_await Replace(call, std::move(certificates)));
  co_return Named(call);
}

Answer DeleteCertificates(Call& call) {
  CO_RETURN_IF_ERROR(CheckPair(call));
  CO_RETURN_IF_ERROR(co_await Replace(call, {}));
  co_return Named(call);
}

Answer GetCertificates(Call& call) {
  CO_RETURN_IF_ERROR(CheckPair(call));
  CO_ASSIGN_OR_RETURN(const Certificates certificates,
                      call.environment.store.Certificates(call.key->row_id));
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject()
      .Text("KeyId", call.key->Arn())
      .BeginArray("Certificates");
  for (const base::Bytes& certificate : certificates) {
    writer.Item(base::Base64Encode(certificate));
  }
  writer.EndArray().EndObject();
  co_return reply;
}

}  // namespace kms::operations
