// SPDX-License-Identifier: Apache-2.0
#include "kms/identity/session.h"

#include <chrono>
#include <cstdint>

#include "base/buffer.h"

namespace kms::identity {
namespace {

constexpr std::uint8_t kVersion = 1;

std::uint64_t Microseconds(base::WallTime time) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(
          time.time_since_epoch())
          .count());
}

void WriteList(const std::vector<std::string>& list, base::Writer& writer) {
  writer.U16(static_cast<std::uint16_t>(list.size()));
  for (const std::string& item : list) {
    writer.Sized(item);
  }
}

base::Result<std::string> ReadText(base::Reader& reader) {
  ASSIGN_OR_RETURN(const base::ByteView bytes, reader.Sized(kMaxSessionBytes));
  return std::string(base::AsText(bytes));
}

base::Result<base::WallTime> ReadTime(base::Reader& reader) {
  ASSIGN_OR_RETURN(const std::uint64_t count, reader.U64());
  if (count > static_cast<std::uint64_t>(INT64_MAX) / 1000) {
    return base::Error{base::ErrorCode::kCorrupt, "a session of no time"};
  }
  return base::WallTime(std::chrono::duration_cast<base::WallTime::duration>(
      std::chrono::microseconds(count)));
}

base::Status ReadList(base::Reader& reader, std::vector<std::string>& out) {
  ASSIGN_OR_RETURN(std::uint16_t count, reader.U16());
  for (; count > 0; --count) {
    ASSIGN_OR_RETURN(std::string item, ReadText(reader));
    out.push_back(std::move(item));
  }
  return {};
}

}  // namespace

base::Result<base::WipingBytes> EncodeSession(const Session& session) {
  base::Writer writer(kMaxSessionBytes);
  writer.U8(kVersion).Sized(session.access_key_id);
  writer.Sized(session.secret.Reveal());
  writer.Sized(session.account).Sized(session.principal_id);
  writer.Sized(session.name).U64(Microseconds(session.issued));
  writer.U64(Microseconds(session.expires)).Sized(session.source_identity);
  writer.Sized(session.provider);
  writer.U16(static_cast<std::uint16_t>(session.tags.size()));
  for (const auto& [key, value] : session.tags) {
    writer.Sized(key).Sized(value);
  }
  WriteList(session.transitive_tags, writer);
  writer.Sized(session.policy);
  WriteList(session.policy_arns, writer);
  if (!writer.Ok()) {
    return base::Error{base::ErrorCode::kPackedPolicyTooLarge,
                       "The session policies and session tags together are "
                       "too large for a session token: shorten them."};
  }
  return std::move(writer).Take();
}

base::Result<Session> DecodeSession(base::ByteView bytes) {
  base::Reader reader(bytes);
  ASSIGN_OR_RETURN(const std::uint8_t version, reader.U8());
  if (version != kVersion) {
    return base::Error{base::ErrorCode::kCorrupt,
                       "a session of an unknown version"};
  }
  Session session;
  ASSIGN_OR_RETURN(session.access_key_id, ReadText(reader));
  ASSIGN_OR_RETURN(const base::ByteView secret, reader.Sized(kMaxSessionBytes));
  session.secret = base::Secret::CopyOf(secret);
  ASSIGN_OR_RETURN(session.account, ReadText(reader));
  ASSIGN_OR_RETURN(session.principal_id, ReadText(reader));
  ASSIGN_OR_RETURN(session.name, ReadText(reader));
  ASSIGN_OR_RETURN(session.issued, ReadTime(reader));
  ASSIGN_OR_RETURN(session.expires, ReadTime(reader));
  ASSIGN_OR_RETURN(session.source_identity, ReadText(reader));
  ASSIGN_OR_RETURN(session.provider, ReadText(reader));
  ASSIGN_OR_RETURN(std::uint16_t tags, reader.U16());
  for (; tags > 0; --tags) {
    ASSIGN_OR_RETURN(std::string key, ReadText(reader));
    ASSIGN_OR_RETURN(std::string value, ReadText(reader));
    session.tags.emplace_back(std::move(key), std::move(value));
  }
  RETURN_IF_ERROR(ReadList(reader, session.transitive_tags));
  ASSIGN_OR_RETURN(session.policy, ReadText(reader));
  RETURN_IF_ERROR(ReadList(reader, session.policy_arns));
  RETURN_IF_ERROR(reader.End());
  return session;
}

}  // namespace kms::identity
