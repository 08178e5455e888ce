// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_AUDIT_CHAIN_H_
#define KMS_AUDIT_CHAIN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/hash.h"

namespace kms::audit {

// A Link is the last member, "chain", of every record: its place in the log and
// the hash of the record before it (docs/protocol/audit.md).
struct Link {
  std::string_view node;
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;  // 1 for the first record of a log.
  std::uint64_t group = 0;     // Sequence of the first record written with it.
  base::Digest previous{};     // SHA-256 of the line before; zeros for none.
};

// A Head is where a chain ends: what the next record links to.
struct Head {
  std::uint64_t sequence = 0;
  base::Digest hash{};
  std::uint64_t max_store_revision = 0;
};

// Writes `event` with `link` as its last member, as one line with its newline,
// into `line`, whose capacity is used again.
void ComposeLine(std::string_view event, const Link& link, std::string& line);

// The Link of a line (without its newline), if it has one, spelled exactly as
// ComposeLine spells it. The node borrows from `line`.
std::optional<Link> ParseLink(std::string_view line);

// The "storeRevision" of a line, 0 if it has none.
std::uint64_t StoreRevision(std::string_view line);

// SHA-256 of a line without its newline.
base::Digest LineHash(std::string_view line);

// Whether `node` may name a node: 1 to 64 letters, digits, '.', '_' or '-'.
bool IsNodeName(std::string_view node);

}  // namespace kms::audit

#endif  // KMS_AUDIT_CHAIN_H_
