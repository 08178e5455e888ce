// SPDX-License-Identifier: Apache-2.0
#include "kms/json_writer.h"
#include "kms/operations/custom_key_stores/handlers.h"
#include "kms/operations/custom_key_stores/rules.h"
#include "kms/operations/page.h"

namespace kms::operations {
namespace {

constexpr int kDefaultLimit = 100;

// Never the secret.
void WriteProxy(const XksProxyConfiguration& proxy, JsonWriter& writer) {
  writer.BeginObject("XksProxyConfiguration")
      .Text("Connectivity", XksConnectivityName(proxy.connectivity))
      .Text("AccessKeyId", proxy.access_key_id)
      .Text("UriEndpoint", proxy.uri_endpoint)
      .Text("UriPath", proxy.uri_path);
  if (!proxy.vpc_endpoint_service_name.empty()) {
    writer.Text("VpcEndpointServiceName", proxy.vpc_endpoint_service_name);
  }
  if (!proxy.vpc_endpoint_service_owner.empty()) {
    writer.Text("VpcEndpointServiceOwner", proxy.vpc_endpoint_service_owner);
  }
  writer.EndObject();
}

// AWS KMS API Reference, CustomKeyStoresListEntry.
void WriteStore(const CustomKeyStore& store, JsonWriter& writer) {
  writer.BeginObject()
      .Text("CustomKeyStoreId", store.id)
      .Text("CustomKeyStoreName", store.name);
  if (!store.cloud_hsm_cluster_id.empty()) {
    writer.Text("CloudHsmClusterId", store.cloud_hsm_cluster_id)
        .Text("TrustAnchorCertificate", store.trust_anchor_certificate);
  }
  writer.Text("ConnectionState", ConnectionStateName(store.state));
  if (!store.connection_error_code.empty()) {
    writer.Text("ConnectionErrorCode", store.connection_error_code);
  }
  writer.Time("CreationDate", store.created)
      .Text("CustomKeyStoreType", CustomKeyStoreTypeName(store.type));
  if (store.type == CustomKeyStoreType::kExternalKeyStore) {
    WriteProxy(store.proxy, writer);
  }
  writer.EndObject();
}

bool IsAskedFor(const Call& call, const CustomKeyStore& store) {
  return store.account == call.request.caller.account &&
         store.region == call.request.region &&
         call.Text("CustomKeyStoreId").value_or(store.id) == store.id &&
         call.Text("CustomKeyStoreName").value_or(store.name) == store.name;
}

}  // namespace

base::Status ValidateDescribeCustomKeyStores(const Call& call) {
  if (call.Find("CustomKeyStoreId") && call.Find("CustomKeyStoreName")) {
    return base::Error{base::ErrorCode::kValidation,
                       "You can specify CustomKeyStoreId or "
                       "CustomKeyStoreName, but not both."};
  }
  return {};
}

Answer DescribeCustomKeyStores(Call& call) {
  CO_ASSIGN_OR_RETURN(const PageRequest page, ReadPage(call, kDefaultLimit));
  CO_ASSIGN_OR_RETURN(const auto rows,
                      call.environment.store.ReadCustomKeyStores());
  std::vector<const CustomKeyStore*> found;
  for (const CustomKeyStore& store : rows.stores) {
    if (IsAskedFor(call, store)) {
      found.push_back(&store);
    }
  }
  const auto one = call.Text("CustomKeyStoreId");
  const auto named = call.Text("CustomKeyStoreName");
  if (found.empty() && (one || named)) {
    co_return NoSuchCustomKeyStore(one ? *one : *named);
  }
  std::erase_if(found, [&page](const CustomKeyStore* store) {
    return store->id <= page.after;
  });
  const bool truncated = found.size() > static_cast<std::size_t>(page.limit);
  if (truncated) {
    found.resize(static_cast<std::size_t>(page.limit));
  }
  Reply reply;
  JsonWriter writer(reply.body);
  writer.BeginObject().BeginArray("CustomKeyStores");
  for (const CustomKeyStore* const store : found) {
    WriteStore(*store, writer);
  }
  writer.EndArray();
  WritePageEnd(call, truncated,
               found.empty() ? std::string_view() : found.back()->id, writer);
  writer.EndObject();
  co_return reply;
}

}  // namespace kms::operations
