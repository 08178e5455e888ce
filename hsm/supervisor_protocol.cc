// SPDX-License-Identifier: Apache-2.0
#include "hsm/supervisor_protocol.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/buffer.h"
#include "hsm/socket.h"
#include "hsm/status_codes.h"

namespace hsm {
namespace {

// Version of this protocol: clavigerd and claviger-hsm may be restarted at
// different times after an upgrade.
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kMaxReason = 1024;

base::Bytes Packed(base::Writer writer) {
  const base::WipingBytes bytes = std::move(writer).Take();
  return {bytes.begin(), bytes.end()};
}

base::Status CheckVersion(base::Reader& in) {
  ASSIGN_OR_RETURN(const std::uint8_t version, in.U8());
  if (version != kVersion) {
    return base::Error{base::ErrorCode::kCorrupt,
                       "clavigerd and claviger-hsm are of releases that do not "
                       "understand each other: restart both"};
  }
  return {};
}

}  // namespace

base::Bytes EncodeRequest(const SupervisorRequest& request) {
  base::Writer out(kMaxPacket);
  out.U8(kVersion).U8(static_cast<std::uint8_t>(request.kind));
  out.U32(request.worker).U64(request.generation);
  return Packed(std::move(out));
}

base::Result<SupervisorRequest> DecodeRequest(base::ByteView bytes) {
  base::Reader in(bytes);
  RETURN_IF_ERROR(CheckVersion(in));
  SupervisorRequest request;
  ASSIGN_OR_RETURN(const std::uint8_t kind, in.U8());
  request.kind = static_cast<SupervisorRequest::Kind>(kind);
  if (request.kind != SupervisorRequest::Kind::kConnect &&
      request.kind != SupervisorRequest::Kind::kReplace) {
    return base::Error{base::ErrorCode::kCorrupt, "no such request"};
  }
  ASSIGN_OR_RETURN(request.worker, in.U32());
  ASSIGN_OR_RETURN(request.generation, in.U64());
  RETURN_IF_ERROR(in.End());
  return request;
}

base::Bytes EncodeReply(const SupervisorReply& reply) {
  base::Writer out(kMaxPacket);
  out.U8(kVersion).U64(reply.generation);
  if (reply.status) {
    out.U8(kStatusOk).Sized(std::string_view());
  } else {
    const base::Error& error = reply.status.error();
    out.U8(StatusNumber(error.code))
        .Sized(std::string_view(error.message).substr(0, kMaxReason));
  }
  return Packed(std::move(out));
}

base::Result<SupervisorReply> DecodeReply(base::ByteView bytes) {
  base::Reader in(bytes);
  RETURN_IF_ERROR(CheckVersion(in));
  SupervisorReply reply;
  ASSIGN_OR_RETURN(reply.generation, in.U64());
  ASSIGN_OR_RETURN(const std::uint8_t status, in.U8());
  ASSIGN_OR_RETURN(const base::ByteView text, in.Sized(kMaxReason));
  RETURN_IF_ERROR(in.End());
  if (status != kStatusOk) {
    const std::optional<base::ErrorCode> code = ErrorOfStatus(status);
    if (!code) {
      return base::Error{base::ErrorCode::kCorrupt, "no such status"};
    }
    reply.status = base::Error{*code, std::string(base::AsText(text))};
  }
  return reply;
}

}  // namespace hsm
