// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/workload.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <span>
#include <utility>

#include "tests/bench/load.h"
#include "tests/bench/module_signers.h"
#include "tests/bench/signers.h"

namespace bench {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMany = 64;
constexpr std::size_t kFew = 16;
constexpr std::size_t kCreators = 8;

// The lines to hold. On a host whose empty handler is slower than the one that
// the absolute rates were set for, the shares of it decide.
constexpr double kRateAtMany = 20'000;
constexpr double kRateAtFew = 10'000;
constexpr double kShareAtMany = 0.20;
constexpr double kShareAtFew = 0.10;
constexpr double kEmptyOfFastHost = 100'000;
constexpr double kP99Ms = 5;
constexpr double kCpuUs = 35;
constexpr double kCreationShare = 0.80;
constexpr double kSigningShare = 0.80;
constexpr double kShareBesideSigners = 0.60;
constexpr double kPolicyUs = 2;
constexpr double kModuleRsaShare = 0.80;
constexpr double kModuleP256Share = 0.50;

std::string PerSecond(double rate) { return fmt::format("{:.0f}/s", rate); }
std::string Percent(double share) {
  return fmt::format("{:.1f} %", share * 100);
}
std::string Milliseconds(double ms) { return fmt::format("{:.2f} ms", ms); }
std::string Microseconds(double us) { return fmt::format("{:.2f} us", us); }

base::Result<double> ReadFigure(Child& child) {
  ASSIGN_OR_RETURN(const std::string line, child.ReadLine());
  double figure = 0;
  const char* const end = line.data() + line.size();
  if (std::from_chars(line.data(), end, figure).ptr != end) {
    return Error{ErrorCode::kIo, "a process beside the server: " + line};
  }
  return figure;
}

}  // namespace

Workload::Workload(Server& server, const Others& others, const Options& options)
    : server_(server), others_(others), options_(options) {}

struct Workload::Part {
  const char* name;
  base::Status (Workload::*measure)();
  void (Workload::*add_rows)(std::vector<Row>& rows) const;
};

const std::vector<Workload::Part>& Workload::Parts() {
  static const std::vector<Part> parts = {
      {"data-keys", &Workload::MeasureDataKeys, &Workload::AddDataKeyRows},
      {"creation", &Workload::MeasureCreation, &Workload::AddCreationRows},
      {"signing", &Workload::MeasureSigning, &Workload::AddSigningRows},
      {"module", &Workload::MeasureModule, &Workload::AddModuleRows},
      {"policy", &Workload::MeasurePolicy, &Workload::AddPolicyRows}};
  return parts;
}

std::vector<std::string> Workload::PartNames() {
  std::vector<std::string> names;
  for (const Part& part : Parts()) {
    names.emplace_back(part.name);
  }
  return names;
}

bool Workload::IsWanted(const Part& part) const {
  return options_.part.empty() || options_.part == part.name;
}

base::Status Workload::Measure() {
  RETURN_IF_ERROR(PrepareRequests());
  for (const Part& part : Parts()) {
    if (IsWanted(part)) {
      RETURN_IF_ERROR((this->*part.measure)());
    }
  }
  return {};
}

base::Status Workload::MeasureDataKeys() {
  RETURN_IF_ERROR(MeasureRates());
  return MeasureLatencies();
}

base::Status Workload::MeasurePolicy() {
  ASSIGN_OR_RETURN(policy_, MeasurePolicyAlone());
  return {};
}

// A 256-bit payload and a context of one pair, as envelope encryption has it.
base::Status Workload::PrepareRequests() {
  constexpr std::string_view kContext =
      R"("EncryptionContext":{"tenant":"bench"})";
  constexpr std::string_view kPlaintext =
      "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
  ASSIGN_OR_RETURN(const std::string key,
                   server_.Ask("CreateKey", "{}", "KeyMetadata/KeyId"));
  const std::string encrypt = fmt::format(
      R"({{"KeyId":"{}","Plaintext":"{}",{}}})", key, kPlaintext, kContext);
  ASSIGN_OR_RETURN(const std::string blob,
                   server_.Ask("Encrypt", encrypt, "CiphertextBlob"));
  operations_.push_back(
      {"GenerateDataKey", TokenTask::kGenerateDataKey,
       SignedRequest("GenerateDataKey",
                     fmt::format(R"({{"KeyId":"{}","KeySpec":"AES_256",{}}})",
                                 key, kContext))});
  operations_.push_back(
      {"Encrypt", TokenTask::kEncrypt, SignedRequest("Encrypt", encrypt)});
  operations_.push_back(
      {"Decrypt", TokenTask::kDecrypt,
       SignedRequest("Decrypt", fmt::format(R"({{"CiphertextBlob":"{}",{}}})",
                                            blob, kContext))});
  return {};
}

base::Status Workload::MeasureRates() {
  for (int round = 0; round < options_.rounds; ++round) {
    for (Operation& operation : operations_) {
      ASSIGN_OR_RETURN(const Slice empty,
                       Load(others_.empty_port, operation.request, kMany));
      ASSIGN_OR_RETURN(const Slice many,
                       Load(server_.port(), operation.request, kMany));
      ASSIGN_OR_RETURN(const Slice few,
                       Load(server_.port(), operation.request, kFew));
      empty_.push_back(empty.rate);
      operation.at_64.push_back(many.rate);
      operation.share.push_back(many.rate / empty.rate);
      operation.cpu_us.push_back(many.cpu_us);
      ASSIGN_OR_RETURN(const double token_cpu_us, AskToken(operation.task));
      operation.token_cpu_us.push_back(token_cpu_us);
      operation.at_16.push_back(few.rate);
    }
  }
  return {};
}

base::Status Workload::MeasureLatencies() {
  for (int round = 0; round < options_.rounds; ++round) {
    for (Operation& operation : operations_) {
      ASSIGN_OR_RETURN(const Slice slice,
                       Load(server_.port(), operation.request, kMany,
                            Median(operation.at_64) / 2));
      operation.p50_ms.push_back(slice.p50_ms);
      operation.p99_ms.push_back(slice.p99_ms);
    }
  }
  return {};
}

base::Status Workload::MeasureCreation() {
  SignedRequest create("CreateKey", "{}");
  for (int round = 0; round < options_.rounds; ++round) {
    ASSIGN_OR_RETURN(const double alone, AskToken(TokenTask::kGenerateKeys));
    created_alone_.push_back(alone);
    ASSIGN_OR_RETURN(const Slice slice,
                     Load(server_.port(), create, kCreators));
    created_.push_back(slice.rate);
  }
  return {};
}

// Signatures are made by the workers that may be held up: all but the first.
// With the two that a development server has, that is one process.
base::Status Workload::MeasureSigning() {
  ASSIGN_OR_RETURN(
      const std::string key,
      server_.Ask("CreateKey",
                  R"({"KeySpec":"RSA_2048","KeyUsage":"SIGN_VERIFY"})",
                  "KeyMetadata/KeyId"));
  const std::string body =
      fmt::format(R"({{"KeyId":"{}","Message":"bWVzc2FnZQ==",)"
                  R"("SigningAlgorithm":"RSASSA_PKCS1_V1_5_SHA_256"}})",
                  key);
  SignedRequest sign("Sign", body);
  SignedRequest& data_key = operations_.front().request;
  for (int round = 0; round < options_.rounds; ++round) {
    ASSIGN_OR_RETURN(const double alone, AskToken(TokenTask::kSign));
    signed_alone_.push_back(alone);
    ASSIGN_OR_RETURN(const Slice many, Load(server_.port(), sign, kMany));
    signed_.push_back(many.rate);
    ASSIGN_OR_RETURN(const Slice quiet, Load(server_.port(), data_key, kFew));
    RETURN_IF_ERROR(others_.signers.Write(
        SignersQuestion(server_.port(), kFew, options_.slice, body)));
    ASSIGN_OR_RETURN(const Slice beside, Load(server_.port(), data_key, kFew));
    ASSIGN_OR_RETURN(const double rate, ReadFigure(others_.signers));
    beside_signed_.push_back(rate);
    beside_share_.push_back(beside.rate / quiet.rate);
    beside_p99_ms_.push_back(beside.p99_ms);
  }
  return {};
}

base::Status Workload::MeasureModule() {
  through_module_ = {
      {"RSA_2048", CKM_SHA256_RSA_PKCS, TokenTask::kSign, 1, kModuleRsaShare},
      {"ECC_NIST_P256", CKM_ECDSA_SHA256, TokenTask::kSignP256, 2,
       kModuleP256Share}};
  for (ModuleSignatures& signatures : through_module_) {
    RETURN_IF_ERROR(MeasureModuleSignatures(signatures));
  }
  return {};
}

base::Status Workload::MeasureModuleSignatures(ModuleSignatures& signatures) {
  // Without an alias a key's label is its id.
  ASSIGN_OR_RETURN(
      const std::string key,
      server_.Ask("CreateKey",
                  fmt::format(R"({{"KeySpec":"{}","KeyUsage":"SIGN_VERIFY"}})",
                              signatures.key_spec),
                  "KeyMetadata/KeyId"));
  const ModuleSigning signing{.socket = server_.socket(),
                              .label = key,
                              .mechanism = signatures.mechanism,
                              .slice = options_.slice};
  for (int round = 0; round < options_.rounds; ++round) {
    ASSIGN_OR_RETURN(const double alone,
                     AskToken(signatures.alone, signatures.processes));
    signatures.alone_rates.push_back(alone);
    RETURN_IF_ERROR(
        others_.module_signers.Write(ModuleSigningQuestion(signing)));
    ASSIGN_OR_RETURN(const double rate, ReadFigure(others_.module_signers));
    signatures.rates.push_back(rate);
  }
  return {};
}

base::Result<double> Workload::AskToken(TokenTask task, int processes) {
  const char command = static_cast<char>(task);
  const std::array both = {&others_.token_alone, &others_.second_token_alone};
  const auto asked = std::span(both).first(static_cast<std::size_t>(processes));
  for (Child* const child : asked) {
    RETURN_IF_ERROR(child->Write({&command, 1}));
  }
  double rate = 0;
  for (Child* const child : asked) {
    ASSIGN_OR_RETURN(const double each, ReadFigure(*child));
    rate += each;
  }
  return rate;
}

base::Result<Workload::Slice> Workload::Load(std::uint16_t port,
                                             SignedRequest& request,
                                             std::size_t connections,
                                             std::optional<double> rate) {
  double cpu = 0;
  LoadPlan plan;
  plan.port = port;
  plan.connections = connections;
  plan.duration = options_.slice;
  plan.rate = rate;
  plan.next_request = [&request] { return request.Bytes(); };
  plan.on_start = [&] { cpu -= server_.CpuSeconds(); };
  plan.on_end = [&] { cpu += server_.CpuSeconds(); };
  ASSIGN_OR_RETURN(const LoadResult result, Run(plan));
  RETURN_IF_ERROR(result.Check());
  const auto requests = static_cast<double>(result.latencies_us.size());
  return Slice{.rate = result.Rate(),
               .cpu_us = cpu * 1e6 / requests,
               .p50_ms = result.MillisecondsAt(0.50),
               .p99_ms = result.MillisecondsAt(0.99)};
}

void Workload::AddRowsOf(const Operation& operation,
                         std::vector<Row>& rows) const {
  const bool slow_host = Median(empty_) < kEmptyOfFastHost;
  const auto add = [&](Row row, bool advisory) {
    row.what = operation.name + ", " + row.what;
    row.advisory = advisory;
    rows.push_back(std::move(row));
  };
  const auto microseconds = [](double us) {
    return fmt::format("{:.1f} us", us);
  };
  const double at_16 = Median(operation.at_16);
  add(AtLeast("64 connections", Median(operation.at_64), kRateAtMany,
              PerSecond),
      slow_host);
  add(AtLeast("64 connections, of an empty handler", Median(operation.share),
              kShareAtMany, Percent),
      false);
  add(AtLeast("16 connections", at_16, kRateAtFew, PerSecond), slow_host);
  add(AtLeast("16 connections, of an empty handler", at_16 / Median(empty_),
              kShareAtFew, Percent),
      false);
  add({"half of that load, p50",
       Milliseconds(Median(operation.p50_ms)),
       "",
       {}},
      false);
  add(AtMost("half of that load, p99", Median(operation.p99_ms), kP99Ms,
             Milliseconds),
      false);
  const double server = Median(operation.cpu_us);
  const double token = Median(operation.token_cpu_us);
  add({"server CPU a request", microseconds(server), "", {}}, false);
  add({"token alone, CPU a call", microseconds(token), "", {}}, false);
  add(AtMost("CPU around the token", server - token, kCpuUs, microseconds),
      false);
}

void Workload::AddSigningRows(std::vector<Row>& rows) const {
  const double alone = Median(signed_alone_);
  rows.push_back(
      {"token alone, RSA-2048, 1 process", PerSecond(alone), "", {}});
  rows.push_back(AtLeast("RSA-2048 Sign, 64 connections, 1 signing worker",
                         Median(signed_), alone * kSigningShare, PerSecond));
  rows.push_back({"16 RSA signers beside 16 data-key clients",
                  PerSecond(Median(beside_signed_)),
                  "",
                  {}});
  rows.push_back(AtLeast("those data keys, of their rate alone",
                         Median(beside_share_), kShareBesideSigners, Percent));
  rows.push_back(AtMost("those data keys, p99", Median(beside_p99_ms_), kP99Ms,
                        Milliseconds));
}

void Workload::AddDataKeyRows(std::vector<Row>& rows) const {
  rows.push_back(
      {"empty handler, 64 connections", PerSecond(Median(empty_)), "", {}});
  for (const Operation& operation : operations_) {
    AddRowsOf(operation, rows);
  }
}

void Workload::AddCreationRows(std::vector<Row>& rows) const {
  const double alone = Median(created_alone_);
  rows.push_back(
      {"token alone, generation and syncfs", PerSecond(alone), "", {}});
  rows.push_back(AtLeast("resident CreateKey, 8 connections", Median(created_),
                         alone * kCreationShare, PerSecond));
}

void Workload::AddModuleRows(std::vector<Row>& rows) const {
  for (const ModuleSignatures& signatures : through_module_) {
    const double most = Median(signatures.alone_rates);
    rows.push_back({fmt::format("token alone, {}, {} process{}",
                                signatures.key_spec, signatures.processes,
                                signatures.processes == 1 ? "" : "es"),
                    PerSecond(most),
                    "",
                    {}});
    rows.push_back(AtLeast(fmt::format("C_Sign, {}, 8 processes x 4 sessions",
                                       signatures.key_spec),
                           Median(signatures.rates), most * signatures.limit,
                           PerSecond));
  }
}

void Workload::AddPolicyRows(std::vector<Row>& rows) const {
  rows.push_back(AtMost("policy evaluation, compiled, 10 statements",
                        policy_.decision_us, kPolicyUs, Microseconds));
  rows.push_back({"written policy cases, 1 core",
                  PerSecond(policy_.cases_per_second),
                  "",
                  {}});
}

std::vector<Row> Workload::Rows() const {
  std::vector<Row> rows;
  for (const Part& part : Parts()) {
    if (IsWanted(part)) {
      (this->*part.add_rows)(rows);
    }
  }
  return rows;
}

}  // namespace bench
