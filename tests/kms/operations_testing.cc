// SPDX-License-Identifier: Apache-2.0
#include "tests/kms/operations_testing.h"

#include <filesystem>

#include "base/bytes.h"
#include "kms/identity/aws_policies.h"
#include "kms/operations/usage_completion.h"
#include "tests/kms/softhsm_workers.h"

namespace kms::operations {
namespace {

namespace asio = boost::asio;
using nlohmann::json;

SoftHsmWorkers& TheWorkers() {
  static SoftHsmWorkers workers;
  return workers;
}

// Users whose ids are those of identity::User, so that callers that tests make
// up are these.
base::Status MakeUser(store::Identities& identities, std::string_view account,
                      std::string_view name) {
  const Caller user = identity::User(account, name);
  Entity entity;
  entity.id = user.principal_id;
  entity.account = account;
  entity.name = name;
  return identities.InsertEntity(entity);
}

base::Status MakePeople(store::Transaction& transaction) {
  store::Identities& identities = transaction.identities();
  for (const std::string_view account : {kAccount, kOtherAccount}) {
    RETURN_IF_ERROR(identities.InsertAccount({std::string(account), {}}));
    RETURN_IF_ERROR(MakeUser(identities, account, "admin"));
    RETURN_IF_ERROR(
        identities.Attach(identity::User(account, "admin").principal_id,
                          identity::kAdministratorAccessArn));
  }
  for (const std::string_view name :
       {"a", "alice", "b", "bob", "carol", "eve", "u", "u1004", "u5"}) {
    RETURN_IF_ERROR(MakeUser(identities, kAccount, name));
  }
  Entity role;
  role.id = "AROATESTROLEBOB234567";
  role.kind = EntityKind::kRole;
  role.account = kAccount;
  role.name = "bob";
  role.trust_policy =
      R"({"Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},)"
      R"("Action":"sts:AssumeRole"}]})";
  return identities.InsertEntity(role);
}

std::unique_ptr<identity::DirectorySource> OpenDirectory(store::Store& store) {
  if (testlib::Take(store.ReadIdentities()).accounts.empty()) {
    testlib::Take(store.WriteNow(MakePeople));
  }
  return std::make_unique<identity::DirectorySource>(
      std::make_shared<const identity::Directory>(
          testlib::Take(store.ReadIdentities()), identity::Directory::Secrets(),
          std::vector<identity::AccessKey>()));
}

std::unique_ptr<store::Store> OpenStore(const std::string& folder,
                                        const base::Clock& clock) {
  store::StoreOptions options;
  options.path = folder + "/claviger.db";
  return testlib::Take(store::Store::Open(options, clock));
}

std::unique_ptr<RefusingLog> OpenLog(const std::string& folder,
                                     const store::StoreInfo& store,
                                     const base::Clock& clock) {
  audit::LogOptions options;
  options.folder = folder + "/audit";
  options.store_id = store.id;
  options.epoch = store.epoch;
  options.segment_bytes = 1 << 20;
  options.low_space_bytes = 0;
  std::filesystem::create_directory(options.folder);
  return std::make_unique<RefusingLog>(
      testlib::Take(audit::Log::Open(options, clock)));
}

}  // namespace

bool RefusingLog::Refuses() {
  if (refuses_after == 0) {
    refuses = true;
  }
  --refuses_after;
  return refuses;
}

asio::awaitable<base::Status> RefusingLog::Append(std::string event) {
  if (Refuses()) {
    co_return base::Error{base::ErrorCode::kAuditUnavailable, "disk full"};
  }
  co_return co_await log_->Append(std::move(event));
}

base::Status RefusingLog::AppendNow(std::string event) {
  if (Refuses()) {
    return base::Error{base::ErrorCode::kAuditUnavailable, "disk full"};
  }
  return log_->AppendNow(std::move(event));
}

audit::LogHealth RefusingLog::health() const {
  audit::LogHealth health = log_->health();
  health.writable = health.writable && !refuses;
  return health;
}

OperationsTest::Server::Server(asio::io_context& io, const base::Clock& clock,
                               const std::string& folder,
                               hsm::Algorithm algorithm)
    : store(OpenStore(folder, clock)),
      directory(OpenDirectory(*store)),
      guard(testlib::Take(DeletionGuard::Load(*store, clock))),
      last_usage(*store),
      log(OpenLog(folder, store->info(), clock)),
      counters(*store),
      hsm(io,
          {.key_store = "test",
           .supervisor_socket = TheWorkers().supervised.socket_path(),
           .workers = 2},
          clock),
      environment{.store = *store,
                  .key_stores = KeyStores(
                      {{.name = "test", .hsm = hsm, .algorithm = algorithm}}),
                  .authorizer = authorizer,
                  .organization = organization,
                  .directory = *directory,
                  .custom_key_stores = custom_key_stores,
                  .clock = clock,
                  .counters = counters,
                  .deletion_guard = *guard,
                  .last_usage = last_usage,
                  .log = *log,
                  .log_folder = folder + "/audit",
                  .unlogged = {}},
      service(environment) {}

void OperationsTest::SetUpTestSuite() { TheWorkers(); }

void OperationsTest::Open() {
  server_ = std::make_unique<Server>(io_, clock_, folder_.path(), algorithm_);
  const std::uint64_t head = log().health().head_sequence;
  testlib::Take(CompleteUsage(store(), log_folder(), head));
  environment().last_usage.Start(head);
  testlib::Take(Run(server_->hsm.Start()));
}

void OperationsTest::Close() {
  if (server_ == nullptr) {
    return;
  }
  server_->hsm.Stop();
  server_->log->Close();
  server_.reset();
  io_.restart();
  io_.run();
}

asio::awaitable<base::Result<json>> OperationsTest::Handle(
    std::string_view operation, std::string_view body, const From& from) {
  const std::string request_id = "5c2e4a5e-0000-4000-8000-000000000001";
  const Request request = {.service = from.service,
                           .operation = operation,
                           .body = body,
                           .region = from.region,
                           .caller = from.caller,
                           .source_address = "192.0.2.7",
                           .user_agent = "test/1",
                           .referer = from.referer,
                           .source_arn = from.source_arn,
                           .request_id = request_id,
                           .door = from.door};
  auto reply = co_await server_->service.Handle(request);
  if (!reply) {
    co_return base::Error(std::move(reply).error());
  }
  json parsed = json::object();
  if (!reply->body.empty()) {
    parsed = json::parse(std::string_view(reply->body));
  }
  co_return parsed;
}

base::Result<json> OperationsTest::AskText(std::string_view operation,
                                           std::string_view body,
                                           const From& from) {
  return Run(Handle(operation, body, from));
}

asio::awaitable<base::Result<json>> OperationsTest::Send(std::string operation,
                                                         json input) {
  const std::string body = input.dump();
  const From from;
  co_return co_await Handle(operation, body, from);
}

asio::awaitable<base::Result<json>> OperationsTest::SendFrom(
    From from, std::string operation, json input) {
  const std::string body = input.dump();
  co_return co_await Handle(operation, body, from);
}

std::vector<base::Result<json>> OperationsTest::AskTogether(
    const std::vector<std::pair<std::string, json>>& requests,
    const From& from) {
  std::vector<base::Result<json>> replies(requests.size(), json());
  std::size_t running = requests.size();
  for (std::size_t i = 0; i < requests.size(); ++i) {
    asio::co_spawn(io_, SendFrom(from, requests[i].first, requests[i].second),
                   [&, i](const std::exception_ptr&, base::Result<json> reply) {
                     replies[i] = std::move(reply);
                     --running;
                   });
  }
  io_.restart();
  while (running > 0 && io_.run_one() > 0) {
  }
  return replies;
}

base::Result<json> OperationsTest::Ask(std::string_view operation,
                                       const json& input, const From& from) {
  return AskText(operation, input.dump(), from);
}

void OperationsTest::Place(Placement placement) {
  testlib::Take(Run(CheckServiceKeys(environment(), NewStore::kAllow)));
  key_store().wrapping_key.reset();
  testlib::Take(Run(EnsureWrappingKey(environment(), key_store(), placement)));
}

std::string OperationsTest::NewKeyOf(std::string_view spec,
                                     std::string_view usage) {
  return testlib::Take(
      Ask("CreateKey",
          {{"KeySpec", spec}, {"KeyUsage", usage}}))["KeyMetadata"]["KeyId"];
}

std::string OperationsTest::NewKey() {
  const json reply = testlib::Take(Ask("CreateKey", json::object()));
  return reply.at("KeyMetadata").at("KeyId");
}

std::string OperationsTest::Encrypted(const std::string& key,
                                      std::string_view plaintext) {
  const json input = {
      {"KeyId", key},
      {"Plaintext", base::Base64Encode(base::AsBytes(plaintext))}};
  return testlib::Take(Ask("Encrypt", input)).at("CiphertextBlob");
}

std::vector<json> OperationsTest::Events() const {
  std::vector<json> events;
  const auto verified = audit::Verify(log_folder(), [&](std::string_view line) {
    json event = json::parse(line);
    if (event.contains("eventName")) {
      events.push_back(std::move(event));
    }
  });
  EXPECT_OK(verified);
  return events;
}

std::string OperationsTest::LogText() const {
  std::string text;
  const auto verified = audit::Verify(log_folder(), [&](std::string_view line) {
    text.append(line).append("\n");
  });
  EXPECT_OK(verified);
  return text;
}

int OperationsTest::CountEvents(std::string_view name) const {
  int count = 0;
  for (const json& event : Events()) {
    count += event.at("eventName") == name && !event.contains("errorCode");
  }
  return count;
}

bool OperationsTest::OnToken(const hsm::Locator& locator) {
  const hsm::ListKeysRequest request;
  const auto listed = testlib::Take(Run(hsm().Call(request)));
  for (const hsm::ListedKey& key : listed.keys) {
    if (std::ranges::equal(key.id, locator.bytes)) {
      return true;
    }
  }
  return false;
}

void OperationsTest::RunVoid(asio::awaitable<void> task) {
  bool ended = false;
  asio::co_spawn(io_, std::move(task),
                 [&ended](const std::exception_ptr&) { ended = true; });
  io_.restart();
  while (!ended && io_.run_one() > 0) {
  }
}

}  // namespace kms::operations
