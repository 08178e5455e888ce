// SPDX-License-Identifier: Apache-2.0
#include "kms/audit/chain.h"

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "kms/audit/json_text.h"

namespace kms::audit {
namespace {

constexpr std::string_view kNode = ",\"chain\":{\"node\":\"";
constexpr std::string_view kEpoch = "\",\"epoch\":";
constexpr std::string_view kSequence = ",\"sequence\":";
constexpr std::string_view kGroup = ",\"group\":";
constexpr std::string_view kPrevious = ",\"previous\":\"";
constexpr std::string_view kEnd = "\"}}";
constexpr std::string_view kRevision = ",\"storeRevision\":";
constexpr std::size_t kRevisionSize = kRevision.size() + 20;  // With digits.

// A Parser takes the pieces of a Link off the front of a text.
class Parser {
 public:
  explicit Parser(std::string_view rest) : rest_(rest) {}

  bool Literal(std::string_view text) {
    if (!rest_.starts_with(text)) {
      return false;
    }
    rest_.remove_prefix(text.size());
    return true;
  }
  bool Node(std::string_view& node) {
    node = rest_.substr(0, rest_.find('"'));
    rest_.remove_prefix(node.size());
    return IsNodeName(node);
  }
  bool Decimal(std::uint64_t& value) {
    const char* begin = rest_.data();
    const auto [end, error] =
        std::from_chars(begin, begin + rest_.size(), value);
    if (error != std::errc{} || (*begin == '0' && end != begin + 1)) {
      return false;
    }
    rest_.remove_prefix(static_cast<std::size_t>(end - begin));
    return true;
  }
  bool Hash(base::Digest& digest) {
    const std::string_view text = rest_.substr(0, 2 * digest.size());
    const auto bytes = base::HexDecode(text);
    if (!bytes || bytes->size() != digest.size() ||
        base::HexEncode(*bytes) != text) {
      return false;
    }
    std::ranges::copy(*bytes, digest.begin());
    rest_.remove_prefix(text.size());
    return true;
  }
  bool AtEnd() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

}  // namespace

void ComposeLine(std::string_view event, const Link& link, std::string& line) {
  line.assign(event, 0, event.size() - 1);  // Without the closing brace.
  line.append(kNode);
  line.append(link.node);
  line.append(kEpoch);
  AppendDecimal(link.epoch, line);
  line.append(kSequence);
  AppendDecimal(link.sequence, line);
  line.append(kGroup);
  AppendDecimal(link.group, line);
  line.append(kPrevious);
  line.append(base::HexEncode(link.previous));
  line.append(kEnd);
  line.push_back('\n');
}

std::optional<Link> ParseLink(std::string_view line) {
  // A client's text cannot imitate the member: inside a JSON string its quotes
  // would be escaped. The last one counts.
  const std::size_t at = line.rfind(kNode);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  Link link;
  Parser parser(line.substr(at));
  const bool whole = parser.Literal(kNode) && parser.Node(link.node) &&
                     parser.Literal(kEpoch) && parser.Decimal(link.epoch) &&
                     parser.Literal(kSequence) &&
                     parser.Decimal(link.sequence) && parser.Literal(kGroup) &&
                     parser.Decimal(link.group) && parser.Literal(kPrevious) &&
                     parser.Hash(link.previous) && parser.Literal(kEnd) &&
                     parser.AtEnd();
  return whole ? std::optional<Link>(link) : std::nullopt;
}

std::uint64_t StoreRevision(std::string_view line) {
  // It can only stand right before "chain": see EventText.
  const std::string_view event = line.substr(0, line.rfind(kNode));
  const std::string_view end =
      event.substr(event.size() - std::min(event.size(), kRevisionSize));
  const std::size_t at = end.rfind(kRevision);
  if (at == std::string_view::npos) {
    return 0;
  }
  Parser parser(end.substr(at));
  std::uint64_t revision = 0;
  const bool whole =
      parser.Literal(kRevision) && parser.Decimal(revision) && parser.AtEnd();
  return whole ? revision : 0;
}

base::Digest LineHash(std::string_view line) {
  return base::ThreadHasher().Sha256(base::AsBytes(line));
}

bool IsNodeName(std::string_view node) {
  static constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  return !node.empty() && node.size() <= 64 &&
         node.find_first_not_of(kAllowed) == std::string_view::npos;
}

}  // namespace kms::audit
