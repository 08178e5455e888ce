// SPDX-License-Identifier: Apache-2.0
#include "kms/store/grants.h"

#include <array>
#include <utility>

#include "kms/store/columns.h"
#include "kms/store/rows.h"

namespace kms::store {
namespace {

constexpr std::string_view kTable = "grants";

constexpr std::string_view kSelect =
    "SELECT g.id, g.key_id, k.account, k.region, g.name, g.grantee_principal, "
    "g.grantee_service, g.retiring_principal, g.retiring_service, "
    "g.issuing_account, g.creating_principal, g.operations, g.context_equals, "
    "g.context_subset, g.source_arn, g.created, g.grantee_id, g.retiring_id "
    "FROM grants g JOIN keys k ON k.id = g.key_id "
    "WHERE k.destroying = 0";

std::string OptionalText(const std::optional<ContextPairs>& pairs) {
  return pairs ? ContextPairsText(*pairs) : std::string();
}

// An absent map is '', which is no JSON object.
std::optional<std::optional<ContextPairs>> ParseOptionalPairs(
    std::string_view text) {
  if (text.empty()) {
    return std::optional<ContextPairs>();
  }
  std::optional<ContextPairs> pairs = ParseContextPairs(text);
  if (!pairs) {
    return std::nullopt;  // Of the outer optional: the row is corrupt.
  }
  return std::make_optional<std::optional<ContextPairs>>(std::move(pairs));
}

Grant TakeGrant(Columns& columns) {
  Grant grant;
  grant.id = columns.Text();
  grant.key_row_id = columns.Text();
  grant.account = columns.Text();
  grant.region = columns.Text();
  grant.name = columns.Text();
  grant.grantee_principal = columns.Text();
  grant.grantee_service = columns.Text();
  grant.retiring_principal = columns.Text();
  grant.retiring_service = columns.Text();
  grant.issuing_account = columns.Text();
  grant.creating_principal = columns.Text();
  grant.operations = columns.Word(ParseGrantOperations);
  grant.constraints.context_equals = columns.Word(ParseOptionalPairs);
  grant.constraints.context_subset = columns.Word(ParseOptionalPairs);
  grant.constraints.source_arn = columns.Text();
  grant.created = columns.Time();
  grant.grantee_id = columns.Text();
  grant.retiring_id = columns.Text();
  return grant;
}

std::string TakeText(Columns& columns) { return columns.Text(); }

// The conditions of `query` as SQL and the values that they compare with.
class Conditions {
 public:
  explicit Conditions(const GrantQuery& query) {
    const std::array<std::pair<std::string_view, std::string_view>, 8> equal = {
        {{"g.id", query.grant_id},
         {"g.key_id", query.key_row_id},
         {"g.grantee_principal", query.grantee_principal},
         {"g.grantee_service", query.grantee_service},
         {"k.region", query.region},
         {"g.retiring_principal", query.retiring_principal},
         {"g.retiring_service", query.retiring_service},
         {"g.issuing_account", query.issuing_account}}};
    for (const auto& [column, value] : equal) {
      if (!value.empty()) {
        Add(column, "=", ToValue(value));
      }
    }
    if (!query.after.empty()) {
      Add("g.id", ">", ToValue(query.after));
    }
  }

  const std::string& sql() const { return sql_; }
  std::vector<Value>& values() { return values_; }

 private:
  void Add(std::string_view column, std::string_view comparison, Value value) {
    values_.push_back(std::move(value));
    sql_.append(" AND ").append(column).append(" ").append(comparison);
    sql_.append(" $").append(std::to_string(values_.size()));
  }

  std::string sql_;
  std::vector<Value> values_;
};

}  // namespace

base::Result<Grant> ReadGrant(Connection& connection, std::string_view id) {
  const std::string sql = std::string(kSelect) + " AND g.id = $1";
  ASSIGN_OR_RETURN(
      std::vector<Grant> found,
      TakeAll(connection.Query(sql, {ToValue(id)}), kTable, TakeGrant));
  if (found.empty()) {
    return base::Error{base::ErrorCode::kNotFound, std::string(kNoGrant)};
  }
  return std::move(found.front());
}

base::Result<Page<Grant>> ReadGrantPage(Connection& connection,
                                        const GrantQuery& query) {
  RETURN_IF_ERROR(CheckLimit(query.limit));
  Conditions conditions(query);
  std::vector<Value>& values = conditions.values();
  values.emplace_back(std::int64_t{query.limit} + 1);
  const std::string sql = std::string(kSelect) + conditions.sql() +
                          " ORDER BY g.id LIMIT $" +
                          std::to_string(values.size());
  return ToPage(TakeAll(connection.Query(sql, values), kTable, TakeGrant),
                query.limit);
}

base::Result<std::uint64_t> ReadGrantCount(Connection& connection,
                                           std::string_view row_id) {
  ASSIGN_OR_RETURN(
      Rows rows,
      connection.Query("SELECT COUNT(*) FROM grants WHERE key_id = $1",
                       {ToValue(row_id)}));
  Columns columns(kTable, rows.at(0));
  const std::uint64_t count = columns.Unsigned();
  RETURN_IF_ERROR(columns.Done());
  return count;
}

base::Result<std::optional<std::string>> ReadSameGrant(Connection& connection,
                                                       const Grant& grant) {
  constexpr std::string_view kSelectId =
      "SELECT id FROM grants WHERE key_id = $1 AND name = $2 AND "
      "parameters = $3 ORDER BY id LIMIT 1";
  ASSIGN_OR_RETURN(
      std::vector<std::string> found,
      TakeAll(connection.Query(kSelectId,
                               {ToValue(grant.key_row_id), ToValue(grant.name),
                                BlobValue(grant.Parameters())}),
              kTable, TakeText));
  return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

base::Status WriteGrant(Connection& connection, const Grant& grant) {
  const GrantConstraints& constraints = grant.constraints;
  RETURN_IF_ERROR(connection.Run(
      "INSERT INTO grants (id, key_id, name, grantee_principal, "
      "grantee_service, retiring_principal, retiring_service, issuing_account, "
      "creating_principal, operations, context_equals, context_subset, "
      "source_arn, parameters, created, grantee_id, retiring_id) VALUES ($1, "
      "$2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, "
      "$17)",
      {ToValue(grant.id), ToValue(grant.key_row_id), ToValue(grant.name),
       ToValue(grant.grantee_principal), ToValue(grant.grantee_service),
       ToValue(grant.retiring_principal), ToValue(grant.retiring_service),
       ToValue(grant.issuing_account), ToValue(grant.creating_principal),
       ToValue(GrantOperationsText(grant.operations)),
       ToValue(OptionalText(constraints.context_equals)),
       ToValue(OptionalText(constraints.context_subset)),
       ToValue(constraints.source_arn), BlobValue(grant.Parameters()),
       ToValue(grant.created), ToValue(grant.grantee_id),
       ToValue(grant.retiring_id)}));
  return {};
}

}  // namespace kms::store
