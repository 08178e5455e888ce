// SPDX-License-Identifier: Apache-2.0
#include "kms/store/custom_key_store_rows.h"

#include <optional>
#include <string>
#include <utility>

#include "kms/store/columns.h"
#include "kms/store/reads.h"
#include "kms/store/rows.h"

namespace kms::store {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kNoStore =
    "the store has no custom key store with this id";

constexpr std::string_view kSelectStores =
    "SELECT id, account, region, name, store_type, created, state, "
    "connection_error_code, cloud_hsm_cluster_id, trust_anchor_certificate, "
    "connectivity, uri_endpoint, uri_path, vpc_endpoint_service_name, "
    "vpc_endpoint_service_owner, access_key_id, secret_nonce, "
    "secret_ciphertext, credential_set, key_store FROM custom_key_stores ";

CustomKeyStore TakeStore(Columns& columns) {
  CustomKeyStore store;
  store.id = columns.Text();
  store.account = columns.Text();
  store.region = columns.Text();
  store.name = columns.Text();
  store.type = columns.Word(ParseCustomKeyStoreType);
  store.created = columns.Time();
  store.state = columns.Word(ParseConnectionState);
  store.connection_error_code = columns.Text();
  store.cloud_hsm_cluster_id = columns.Text();
  store.trust_anchor_certificate = columns.Text();
  store.proxy.connectivity = columns.Word(ParseXksConnectivity);
  store.proxy.uri_endpoint = columns.Text();
  store.proxy.uri_path = columns.Text();
  store.proxy.vpc_endpoint_service_name = columns.Text();
  store.proxy.vpc_endpoint_service_owner = columns.Text();
  store.proxy.access_key_id = columns.Text();
  store.proxy.sealed_secret.nonce = columns.Fixed<24>();
  store.proxy.sealed_secret.ciphertext = columns.Blob();
  store.proxy.credential_set = columns.Time();
  store.key_store = columns.Text();
  columns.Require((store.state == ConnectionState::kFailed) ==
                  !store.connection_error_code.empty());
  columns.Require((store.type == CustomKeyStoreType::kExternalKeyStore) ==
                  !store.proxy.uri_endpoint.empty());
  return store;
}

// The id, and in the order of the statements below what an update may change.
std::vector<Value> ChangingValues(const CustomKeyStore& store) {
  const XksProxyConfiguration& proxy = store.proxy;
  return {ToValue(store.id),
          ToValue(store.name),
          ToValue(ConnectionStateName(store.state)),
          ToValue(store.connection_error_code),
          ToValue(store.cloud_hsm_cluster_id),
          ToValue(store.trust_anchor_certificate),
          ToValue(XksConnectivityName(proxy.connectivity)),
          ToValue(proxy.uri_endpoint),
          ToValue(proxy.uri_path),
          ToValue(proxy.vpc_endpoint_service_name),
          ToValue(proxy.vpc_endpoint_service_owner),
          ToValue(proxy.access_key_id),
          BlobValue(proxy.sealed_secret.nonce),
          BlobValue(proxy.sealed_secret.ciphertext),
          ToValue(proxy.credential_set),
          ToValue(store.key_store)};
}

base::Result<std::vector<CustomKeyStore>> ReadStores(
    Connection& connection, std::string_view where,
    std::initializer_list<Value> values) {
  return TakeAll(
      connection.Query(
          std::string(kSelectStores).append(where).append("ORDER BY id"),
          values),
      "custom_key_stores", TakeStore);
}

base::Result<WrongPasswords> ReadWrongPasswords(Connection& connection) {
  ASSIGN_OR_RETURN(
      Rows rows,
      connection.Query("SELECT cluster_id, in_a_row FROM wrong_passwords"));
  WrongPasswords counts;
  for (Row& row : rows) {
    Columns columns("wrong_passwords", row);
    std::string cluster_id = columns.Text();
    counts[std::move(cluster_id)] = columns.Unsigned();
    RETURN_IF_ERROR(columns.Done());
  }
  return counts;
}

}  // namespace

base::Result<CustomKeyStoreRows> ReadCustomKeyStoreRows(
    Connection& connection) {
  CustomKeyStoreRows rows;
  ASSIGN_OR_RETURN(const StoreInfo info, ReadStoreInfo(connection));
  rows.revision = info.revision;
  ASSIGN_OR_RETURN(rows.stores, ReadStores(connection, "", {}));
  ASSIGN_OR_RETURN(rows.wrong_passwords, ReadWrongPasswords(connection));
  return rows;
}

base::Result<CustomKeyStore> SqlCustomKeyStores::GetCustomKeyStore(
    std::string_view id) {
  ASSIGN_OR_RETURN(std::vector<CustomKeyStore> stores,
                   ReadStores(connection_, "WHERE id = $1 ", {ToValue(id)}));
  if (stores.empty()) {
    return Error{ErrorCode::kNotFound, std::string(kNoStore)};
  }
  return std::move(stores.front());
}

base::Result<std::vector<CustomKeyStore>>
SqlCustomKeyStores::GetCustomKeyStores() {
  return ReadStores(connection_, "", {});
}

base::Status SqlCustomKeyStores::InsertCustomKeyStore(
    const CustomKeyStore& store) {
  std::vector<Value> values = ChangingValues(store);
  for (Value fixed :
       {ToValue(store.account), ToValue(store.region),
        ToValue(CustomKeyStoreTypeName(store.type)), ToValue(store.created)}) {
    values.push_back(std::move(fixed));
  }
  RETURN_IF_ERROR(connection_.Run(
      "INSERT INTO custom_key_stores (id, name, state, connection_error_code, "
      "cloud_hsm_cluster_id, trust_anchor_certificate, connectivity, "
      "uri_endpoint, uri_path, vpc_endpoint_service_name, "
      "vpc_endpoint_service_owner, access_key_id, secret_nonce, "
      "secret_ciphertext, credential_set, key_store, account, region, "
      "store_type, created) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, "
      "$15, $16, $17, $18, $19, $20)",
      values));
  return {};
}

base::Status SqlCustomKeyStores::UpdateCustomKeyStore(
    const CustomKeyStore& store) {
  return connection_.RunOnOne(
      "UPDATE custom_key_stores SET name = $2, state = $3, "
      "connection_error_code = $4, cloud_hsm_cluster_id = $5, "
      "trust_anchor_certificate = $6, connectivity = $7, uri_endpoint = $8, "
      "uri_path = $9, vpc_endpoint_service_name = $10, "
      "vpc_endpoint_service_owner = $11, access_key_id = $12, "
      "secret_nonce = $13, secret_ciphertext = $14, credential_set = $15, "
      "key_store = $16 WHERE id = $1",
      ChangingValues(store), kNoStore);
}

base::Status SqlCustomKeyStores::DeleteCustomKeyStore(std::string_view id) {
  return connection_.RunOnOne("DELETE FROM custom_key_stores WHERE id = $1",
                              {ToValue(id)}, kNoStore);
}

base::Result<std::uint64_t> SqlCustomKeyStores::CountKeys(
    std::string_view id, std::string_view xks_key_id) {
  constexpr std::string_view kCount =
      "SELECT COUNT(*) FROM keys WHERE custom_key_store = $1";
  ASSIGN_OR_RETURN(
      Rows rows,
      xks_key_id.empty()
          ? connection_.Query(kCount, {ToValue(id)})
          : connection_.Query(std::string(kCount) + " AND xks_key_id = $2",
                              {ToValue(id), ToValue(xks_key_id)}));
  Columns columns("keys", rows.at(0));
  const std::uint64_t count = columns.Unsigned();
  RETURN_IF_ERROR(columns.Done());
  return count;
}

base::Result<WrongPasswords> SqlCustomKeyStores::GetWrongPasswords() {
  return ReadWrongPasswords(connection_);
}

base::Status SqlCustomKeyStores::SetWrongPasswords(std::string_view cluster_id,
                                                   std::uint64_t in_a_row) {
  RETURN_IF_ERROR(
      connection_.Run("DELETE FROM wrong_passwords WHERE cluster_id = $1",
                      {ToValue(cluster_id)}));
  if (in_a_row > 0) {
    RETURN_IF_ERROR(connection_.Run(
        "INSERT INTO wrong_passwords (cluster_id, in_a_row) VALUES ($1, $2)",
        {ToValue(cluster_id), ToValue(in_a_row)}));
  }
  return {};
}

}  // namespace kms::store
