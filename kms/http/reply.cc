// SPDX-License-Identifier: Apache-2.0
#include "kms/http/reply.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace kms::http {
namespace {

struct StatusRow {
  unsigned status;
  std::string_view line;
};

constexpr std::array<StatusRow, 15> kStatusLines = {{
    {200, "HTTP/1.1 200 OK\r\n"},
    {400, "HTTP/1.1 400 Bad Request\r\n"},
    {401, "HTTP/1.1 401 Unauthorized\r\n"},
    {403, "HTTP/1.1 403 Forbidden\r\n"},
    {404, "HTTP/1.1 404 Not Found\r\n"},
    {405, "HTTP/1.1 405 Method Not Allowed\r\n"},
    {408, "HTTP/1.1 408 Request Timeout\r\n"},
    {409, "HTTP/1.1 409 Conflict\r\n"},
    {413, "HTTP/1.1 413 Content Too Large\r\n"},
    {417, "HTTP/1.1 417 Expectation Failed\r\n"},
    {429, "HTTP/1.1 429 Too Many Requests\r\n"},
    {431, "HTTP/1.1 431 Request Header Fields Too Large\r\n"},
    {500, "HTTP/1.1 500 Internal Server Error\r\n"},
    {501, "HTTP/1.1 501 Not Implemented\r\n"},
    {503, "HTTP/1.1 503 Service Unavailable\r\n"},
}};

std::string_view StatusLine(unsigned status) {
  for (const StatusRow& row : kStatusLines) {
    if (row.status == status) {
      return row.line;
    }
  }
  return StatusLine(500);  // A status that we do not know is a bug of ours.
}

void AppendNumber(std::size_t number, base::WipingString& out) {
  std::array<char, 20> digits;
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), end.ptr);
}

}  // namespace

std::string_view DateLine::At(base::WallTime now) {
  namespace chrono = std::chrono;
  const auto second = chrono::floor<chrono::seconds>(now);
  if (second == second_) {
    return line_;
  }
  constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed",
                                                "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr",
                                                   "May", "Jun", "Jul", "Aug",
                                                   "Sep", "Oct", "Nov", "Dec"};
  const auto day = chrono::floor<chrono::days>(second);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss time(second - day);
  line_ = fmt::format("Date: {}, {:02} {} {:04} {:02}:{:02}:{:02} GMT\r\n",
                      kDays[chrono::weekday(day).c_encoding()],
                      static_cast<unsigned>(date.day()),
                      kMonths[static_cast<unsigned>(date.month()) - 1],
                      static_cast<int>(date.year()), time.hours().count(),
                      time.minutes().count(), time.seconds().count());
  second_ = second;
  return line_;
}

void FormatReply(const HttpResponse& response, std::string_view date_line,
                 ConnectionWord connection, BodyRule body_rule,
                 base::WipingString& out) {
  constexpr std::size_t kHeadBytes = 384;
  out.clear();
  out.reserve(kHeadBytes + response.extra_headers.size() +
              response.body.size());
  out.append(StatusLine(response.status));
  out.append(date_line);
  if (!response.content_type.empty()) {
    out.append("Content-Type: ").append(response.content_type).append("\r\n");
  }
  out.append("Content-Length: ");
  AppendNumber(response.body.size(), out);
  out.append("\r\n");
  out.append(response.extra_headers);
  if (connection == ConnectionWord::kClose) {
    out.append("Connection: close\r\n");
  }
  if (connection == ConnectionWord::kKeepAlive) {
    out.append("Connection: keep-alive\r\n");
  }
  out.append("\r\n");
  if (body_rule == BodyRule::kSend) {
    out.append(response.body);
  }
}

HttpResponse PlainText(unsigned status, std::string_view text) {
  HttpResponse response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body.append(text).append("\n");
  return response;
}

}  // namespace kms::http
