// SPDX-License-Identifier: Apache-2.0
#include "tests/policy/reference_conditions.h"

#include <arpa/inet.h>

#include <cstring>
#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/bytes.h"

namespace policy::reference {
namespace {

using base::Json;

// Characters of a private plane stand for what is not literal.
constexpr char32_t kStar = 0xF0000;
constexpr char32_t kMark = 0xF0001;
constexpr char32_t kColon = 0xF0002;

char32_t LowerCharacter(char32_t c) {
  if ((c >= 'A' && c <= 'Z') || (c >= 0xC0 && c <= 0xDE && c != 0xD7)) {
    return c + 32;
  }
  return c;
}

std::u32string LowerCharacters(std::u32string text) {
  for (char32_t& c : text) {
    c = LowerCharacter(c);
  }
  return text;
}

bool SameKey(const std::string& a, const std::string& b) {
  return LowerCharacters(Characters(a)) == LowerCharacters(Characters(b));
}

std::vector<std::string> ValuesOf(const Question& question,
                                  const std::string& key) {
  std::vector<std::string> out;
  for (const auto& [name, value] : question.context) {
    if (SameKey(name, key)) {
      out.push_back(value);
    }
  }
  return out;
}

bool MayHaveSeveral(const std::string& key) {
  static const std::set<std::string> multivalued_keys = {
      "aws:tagkeys",           "aws:calledvia",
      "aws:principalorgpaths", "aws:resourceorgpaths",
      "kms:grantoperations",   "aws:principalservicenameslist",
      "kms:resourcealiases",   "kms:encryptioncontextkeys"};
  return multivalued_keys.contains(Lower(key));
}

// Back from the private plane.
std::u32string Literal(std::u32string text) {
  for (char32_t& c : text) {
    c = c == kStar ? U'*' : c == kMark ? U'?' : c == kColon ? U':' : c;
  }
  return text;
}

std::u32string ColonsOnly(std::u32string text) {
  for (char32_t& c : text) {
    c = c == kColon ? U':' : c;
  }
  return text;
}

std::vector<std::u32string> Split(const std::u32string& text, char32_t at) {
  std::vector<std::u32string> parts(1);
  for (const char32_t c : text) {
    if (c == at && parts.size() < 6) {
      parts.emplace_back();
    } else {
      parts.back().push_back(c);
    }
  }
  return parts;
}

std::optional<long double> Number(const std::string& text) {
  const char* p = text.c_str();
  p += *p == '-' ? 1 : 0;
  const std::size_t whole = std::strspn(p, "0123456789");
  p += whole;
  if (whole == 0) {
    return std::nullopt;
  }
  if (*p == '.') {
    const std::size_t part = std::strspn(++p, "0123456789");
    p += part;
    if (part == 0) {
      return std::nullopt;
    }
  }
  return *p == 0 ? std::optional(std::strtold(text.c_str(), nullptr))
                 : std::nullopt;
}

// Takes `front` and then exactly `digits` digits off `rest`.
bool TakeNumber(std::string& rest, const std::string& front, std::size_t digits,
                int& out) {
  if (!rest.starts_with(front) || rest.size() < front.size() + digits) {
    return false;
  }
  const std::string number = rest.substr(front.size(), digits);
  if (number.find_first_not_of("0123456789") != std::string::npos) {
    return false;
  }
  out = std::stoi(number);
  rest.erase(0, front.size() + digits);
  return true;
}

// Seconds since 1970.
std::optional<long double> Date(const std::string& text) {
  const bool year = text.size() == 4 && text.find('.') == std::string::npos;
  if (!year && text.find_first_not_of("0123456789.") == std::string::npos) {
    return Number(text);
  }
  tm time{};
  int month = 1;
  int day = 1;
  int zone = 0;
  std::string rest = text;
  if (!TakeNumber(rest, "", 4, time.tm_year)) {
    return std::nullopt;
  }
  if (TakeNumber(rest, "-", 2, month) && TakeNumber(rest, "-", 2, day) &&
      TakeNumber(rest, "T", 2, time.tm_hour)) {
    int hours = 0;
    int minutes = 0;
    if (!TakeNumber(rest, ":", 2, time.tm_min)) {
      return std::nullopt;
    }
    TakeNumber(rest, ":", 2, time.tm_sec);
    if (TakeNumber(rest, "+", 2, hours) && TakeNumber(rest, ":", 2, minutes)) {
      zone = hours * 3600 + minutes * 60;
    } else if (rest == "Z") {
      rest.clear();
    } else {
      return std::nullopt;
    }
  }
  time.tm_year -= 1900;
  time.tm_mon = month - 1;
  time.tm_mday = day;
  const time_t seconds = timegm(&time);
  if (!rest.empty() || time.tm_mday != day) {
    return std::nullopt;
  }
  return static_cast<long double>(seconds - zone);
}

std::optional<bool> Flag(const std::string& text) {
  const std::string lower = Lower(text);
  return lower == "true"    ? std::optional(true)
         : lower == "false" ? std::optional(false)
                            : std::nullopt;
}

// A range of addresses as bits, and its family.
struct Range {
  std::string bits;
  int family;
};

std::optional<Range> Addresses(const std::string& text) {
  const std::size_t slash = text.find('/');
  const std::string address = text.substr(0, slash);
  unsigned char bytes[16];
  Range out{.family = AF_INET};
  if (inet_pton(AF_INET, address.c_str(), bytes) != 1) {
    out.family = AF_INET6;
    if (inet_pton(AF_INET6, address.c_str(), bytes) != 1) {
      return std::nullopt;
    }
  }
  const int size = out.family == AF_INET ? 32 : 128;
  for (int i = 0; i < size; ++i) {
    out.bits += (bytes[i / 8] >> (7 - i % 8) & 1) != 0 ? '1' : '0';
  }
  if (slash != std::string::npos) {
    const int prefix = std::stoi(text.substr(slash + 1));
    if (prefix > size) {
      return std::nullopt;
    }
    out.bits.resize(static_cast<std::size_t>(prefix));
  }
  return out;
}

Truth FromBool(bool value) { return value ? Truth::kTrue : Truth::kFalse; }

Truth Opposite(Truth a) {
  return a == Truth::kUnknown ? a : FromBool(a == Truth::kFalse);
}

bool InOrder(long double actual, long double wanted, const std::string& name) {
  if (name.ends_with("lessthan")) {
    return actual < wanted;
  }
  if (name.ends_with("lessthanequals")) {
    return actual <= wanted;
  }
  if (name.ends_with("greaterthan")) {
    return actual > wanted;
  }
  if (name.ends_with("greaterthanequals")) {
    return actual >= wanted;
  }
  return actual == wanted;
}

// One comparison of an operator without its negation ("stringlike"), of one
// value of the policy with one of the request, that is of the right type.
Truth Compare(const std::string& name, const std::string& wanted,
              const std::string& actual, bool variables,
              const Question& question) {
  if (name.starts_with("string")) {
    std::u32string pattern;
    if (!Substitute(wanted, variables, question, pattern)) {
      return Truth::kFalse;
    }
    if (name == "stringlike") {
      return FromBool(Glob(ColonsOnly(pattern), Characters(actual)));
    }
    pattern = Literal(pattern);
    return FromBool(name == "stringequals"
                        ? pattern == Characters(actual)
                        : LowerCharacters(pattern) ==
                              LowerCharacters(Characters(actual)));
  }
  if (name.starts_with("arn")) {
    return FromBool(CoversArn(wanted, actual, false, variables, question));
  }
  if (name == "bool") {
    const auto flag = Flag(wanted);
    return flag ? FromBool(*flag == *Flag(actual)) : Truth::kUnknown;
  }
  if (name == "binaryequals") {
    const auto bytes = base::Base64Decode(wanted);
    return bytes ? FromBool(*bytes == *base::Base64Decode(actual))
                 : Truth::kUnknown;
  }
  if (name == "ipaddress") {
    const auto range = Addresses(wanted);
    const auto one = Addresses(actual);
    return range ? FromBool(range->family == one->family &&
                            one->bits.starts_with(range->bits))
                 : Truth::kUnknown;
  }
  const bool date = name.starts_with("date");
  const auto number = date ? Date(wanted) : Number(wanted);
  return number ? FromBool(InOrder(date ? *Date(actual) : *Number(actual),
                                   *number, name))
                : Truth::kUnknown;
}

// Whether the request's value is of the type of the operator.
bool IsUsable(const std::string& name, const std::string& actual) {
  if (name.starts_with("arn")) {
    return Split(Characters(actual), U':').size() == 6;
  }
  if (name.starts_with("numeric")) {
    return Number(actual).has_value();
  }
  if (name.starts_with("date")) {
    return Date(actual).has_value();
  }
  if (name == "bool") {
    return Flag(actual).has_value();
  }
  if (name == "binaryequals") {
    return base::Base64Decode(actual).has_value();
  }
  return name != "ipaddress" || Addresses(actual).has_value();
}

std::string TextOfScalar(const Json& value) {
  if (value.is_string()) {
    return std::string(base::TextOf(value));
  }
  const auto text = value.dump();
  return {text.begin(), text.end()};
}

std::vector<std::string> Texts(const Json& value) {
  std::vector<std::string> out;
  if (value.is_array()) {
    for (const Json& item : value) {
      out.push_back(TextOfScalar(item));
    }
    return out;
  }
  return {TextOfScalar(value)};
}

// One value of the request against all of the policy.
Truth HoldsForOne(const std::string& name, bool negated, const Json& wanted,
                  const std::string& actual, bool variables,
                  const Question& question) {
  if (!IsUsable(name, actual)) {
    return Truth::kFalse;
  }
  bool unknown = false;
  for (const std::string& text : Texts(wanted)) {
    const Truth one = Compare(name, text, actual, variables, question);
    if (one == Truth::kTrue) {
      return FromBool(!negated);
    }
    unknown |= one == Truth::kUnknown;
  }
  return unknown ? Truth::kUnknown : FromBool(negated);
}

Truth HoldsNull(const Json& wanted, bool missing) {
  bool unknown = false;
  for (const std::string& text : Texts(wanted)) {
    const auto flag = Flag(text);
    if (flag == missing) {
      return Truth::kTrue;
    }
    unknown |= !flag.has_value();
  }
  return unknown ? Truth::kUnknown : Truth::kFalse;
}

bool TakeFront(std::string& text, const std::string& front) {
  if (!text.starts_with(front)) {
    return false;
  }
  text.erase(0, front.size());
  return true;
}

Truth HoldsForKey(std::string name, const std::string& key, const Json& wanted,
                  bool variables, const Question& question) {
  const std::vector<std::string> actual = ValuesOf(question, key);
  name = Lower(name);
  if (name == "null") {
    return HoldsNull(wanted, actual.empty());
  }
  const bool all = TakeFront(name, "forallvalues:");
  const bool any = TakeFront(name, "foranyvalue:");
  const bool if_exists = name.ends_with("ifexists");
  if (if_exists) {
    name.resize(name.size() - 8);
  }
  const std::size_t no = name.find("not");
  const bool negated = no != std::string::npos;
  if (negated) {
    name.erase(no, 3);
  }
  if (actual.empty()) {
    return FromBool(all || (!any && (if_exists || negated)));
  }
  const auto holds = [&](const std::string& value) {
    return HoldsForOne(name, negated, wanted, value, variables, question);
  };
  if (!all && !any) {
    if (MayHaveSeveral(key)) {
      return Truth::kFalse;
    }
    return actual.size() > 1 ? Truth::kUnknown : holds(actual[0]);
  }
  bool unknown = false;
  for (const std::string& value : actual) {
    const Truth one = all ? Opposite(holds(value)) : holds(value);
    if (one == Truth::kTrue) {
      return FromBool(any);
    }
    unknown |= one == Truth::kUnknown;
  }
  return unknown ? Truth::kUnknown : FromBool(all);
}

}  // namespace

std::string Lower(std::string text) {
  for (char& c : text) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  return text;
}

std::u32string Characters(const std::string& utf8) {
  std::u32string out;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto byte = static_cast<unsigned char>(utf8[i]);
    if (byte >= 0xC2 && byte <= 0xC3 && i + 1 < utf8.size()) {
      ++i;
      out.push_back((byte & 3U) << 6 |
                    (static_cast<unsigned char>(utf8[i]) & 0x3FU));
    } else {
      out.push_back(byte);
    }
  }
  return out;
}

bool Glob(const std::u32string& pattern, const std::u32string& text) {
  if (pattern.empty()) {
    return text.empty();
  }
  if (pattern[0] == kStar) {
    for (std::size_t skip = 0; skip <= text.size(); ++skip) {
      if (Glob(pattern.substr(1), text.substr(skip))) {
        return true;
      }
    }
    return false;
  }
  return !text.empty() && (pattern[0] == kMark || pattern[0] == text[0]) &&
         Glob(pattern.substr(1), text.substr(1));
}

bool Substitute(const std::string& text, bool variables,
                const Question& question, std::u32string& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t end = text.find('}', i);
    if (variables && text.compare(i, 2, "${") == 0 &&
        end != std::string::npos) {
      std::string name = text.substr(i + 2, end - i - 2);
      std::string value;
      const std::size_t comma = name.find(", '");
      const std::string key = name.substr(0, comma);
      const auto values = ValuesOf(question, key);
      if (name == "*" || name == "?" || name == "$") {
        value = name;
      } else if (values.size() == 1 && !MayHaveSeveral(key)) {
        value = values[0];
      } else if (comma != std::string::npos) {
        value = name.substr(comma + 3, name.size() - comma - 4);
      } else {
        return false;
      }
      out += Characters(value);
      i = end;
      continue;
    }
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x80) {
      out += Characters(text.substr(i, 2));
      ++i;
    } else {
      out.push_back(byte == '*'   ? kStar
                    : byte == '?' ? kMark
                    : byte == ':' ? kColon
                                  : byte);
    }
  }
  return true;
}

bool CoversArn(const std::string& pattern, const std::string& arn, bool padded,
               bool variables, const Question& question) {
  std::u32string marked;
  if (!Substitute(pattern, variables, question, marked)) {
    return false;
  }
  std::vector<std::u32string> wanted = Split(marked, kColon);
  const std::vector<std::u32string> actual = Split(Characters(arn), U':');
  while (padded && wanted.size() < 6) {
    wanted.emplace_back(1, kStar);
  }
  bool matches = wanted.size() == 6 && actual.size() == 6;
  for (std::size_t i = 0; matches && i < 6; ++i) {
    matches = Glob(ColonsOnly(wanted[i]), actual[i]);
  }
  return matches;
}

Truth HoldsAll(const Json& condition, bool variables,
               const Question& question) {
  bool unknown = false;
  for (const auto& [name, keys] : condition.items()) {
    for (const auto& [key, wanted] : keys.items()) {
      const Truth one =
          HoldsForKey({name.begin(), name.end()}, {key.begin(), key.end()},
                      wanted, variables, question);
      if (one == Truth::kFalse) {
        return one;
      }
      unknown |= one == Truth::kUnknown;
    }
  }
  return unknown ? Truth::kUnknown : Truth::kTrue;
}

}  // namespace policy::reference
