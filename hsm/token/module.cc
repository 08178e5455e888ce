// SPDX-License-Identifier: Apache-2.0
#include "hsm/token/module.h"

#include <fmt/format.h>
#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

#include <memory>
#include <utility>
#include <vector>

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

struct FreeUri {
  void operator()(P11KitUri* uri) const { p11_kit_uri_free(uri); }
};
using Uri = std::unique_ptr<P11KitUri, FreeUri>;

base::Result<Uri> ParseUri(const std::string& text) {
  // What follows may hold a PIN: it is not repeated.
  if (text.find("pin-") != std::string::npos ||
      text.find('?') != std::string::npos) {
    return Error{ErrorCode::kInvalidArgument,
                 "the URI of a token may have no query and no PIN: the PIN "
                 "stands in pin_file; write, say, \"pkcs11:token=LABEL\""};
  }
  Uri uri(p11_kit_uri_new());
  const int rc =
      p11_kit_uri_parse(text.c_str(), P11_KIT_URI_FOR_TOKEN, uri.get());
  if (rc != P11_KIT_URI_OK || p11_kit_uri_any_unrecognized(uri.get()) != 0) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("\"{}\" is not the RFC 7512 URI of a token: {}; "
                             "write, say, \"pkcs11:token=LABEL\"",
                             text,
                             rc == P11_KIT_URI_OK ? "unrecognised attribute"
                                                  : p11_kit_uri_message(rc))};
  }
  return uri;
}

TokenIdentity Identity(const CK_TOKEN_INFO& info) {
  return {.label = PaddedText(info.label),
          .serial = PaddedText(info.serialNumber),
          .manufacturer = PaddedText(info.manufacturerID),
          .model = PaddedText(info.model)};
}

// NSS's arguments (its CK_C_INITIALIZE_ARGS): the text stands where the
// standard's have pReserved, which follows and must be null. To others these
// are the standard's.
struct ArgumentsWithParameters {
  CK_C_INITIALIZE_ARGS standard;
  void* reserved;
};

struct FoundSlot {
  CK_SLOT_ID id;
  CK_TOKEN_INFO info;
};

Slot SlotOf(const FoundSlot& found) {
  static_assert(CK_EFFECTIVELY_INFINITE == 0);
  const CK_ULONG sessions = found.info.ulMaxSessionCount;
  return {
      .id = found.id,
      .token = Identity(found.info),
      .flags = found.info.flags,
      .max_sessions = sessions == CK_UNAVAILABLE_INFORMATION ? 0 : sessions};
}

base::Result<std::vector<CK_SLOT_ID>> SlotIds(const CK_FUNCTION_LIST& module) {
  // Between the two calls a slot may come; ask with room to spare.
  CK_ULONG count = 0;
  RETURN_IF_ERROR(
      Check(module.C_GetSlotList(CK_TRUE, nullptr, &count), "C_GetSlotList"));
  std::vector<CK_SLOT_ID> ids(count + 16);
  count = ids.size();
  RETURN_IF_ERROR(Check(module.C_GetSlotList(CK_TRUE, ids.data(), &count),
                        "C_GetSlotList"));
  ids.resize(count);
  return ids;
}

base::Result<std::vector<FoundSlot>> FoundSlots(
    const CK_FUNCTION_LIST& module) {
  ASSIGN_OR_RETURN(const auto ids, SlotIds(module));
  std::vector<FoundSlot> found;
  for (const CK_SLOT_ID id : ids) {
    FoundSlot slot{.id = id, .info = {}};
    // A slot that cannot say what it holds does not hold ours.
    if (module.C_GetTokenInfo(id, &slot.info) == CKR_OK) {
      found.push_back(slot);
    }
  }
  return found;
}

}  // namespace

base::Result<Module> Module::Load(const std::string& path) {
  // p11-kit looks a bare name up in its own directory of modules.
  if (!path.starts_with('/')) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("module \"{}\" must be an absolute path", path)};
  }
  CK_FUNCTION_LIST* functions =
      p11_kit_module_load(path.c_str(), P11_KIT_MODULE_UNMANAGED);
  if (functions == nullptr) {
    const char* reason = p11_kit_message();
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("cannot load the PKCS#11 module {}: {}", path,
                             reason == nullptr ? "unknown reason" : reason)};
  }
  return Module(functions);
}

Module::Module(Module&& other) noexcept
    : functions_(std::exchange(other.functions_, nullptr)),
      initialized_(std::exchange(other.initialized_, false)) {}

Module::~Module() {
  if (functions_ != nullptr) {
    Finalize();
    p11_kit_module_release(functions_);
  }
}

base::Status Module::Initialize(std::string parameters) {
  // Without CKF_OS_LOCKING_OK SoftHSM does not lock, and crashes under threads.
  ArgumentsWithParameters args{};
  args.standard.flags = CKF_OS_LOCKING_OK;
  args.standard.pReserved = parameters.empty() ? nullptr : parameters.data();
  const CK_RV rv = functions_->C_Initialize(&args);
  if (rv == CKR_CRYPTOKI_ALREADY_INITIALIZED) {
    return Error{ErrorCode::kInvalidArgument,
                 "the PKCS#11 module is already in use in this process"};
  }
  RETURN_IF_ERROR(Check(rv, "C_Initialize"));
  initialized_ = true;
  return {};
}

void Module::Finalize() {
  if (std::exchange(initialized_, false)) {
    functions_->C_Finalize(nullptr);  // A failure could not be mended.
  }
}

base::Result<std::string> Module::Manufacturer() const {
  CK_INFO info{};
  RETURN_IF_ERROR(Check(functions_->C_GetInfo(&info), "C_GetInfo"));
  return PaddedText(info.manufacturerID);
}

base::Result<Slot> Module::FindSlot(const std::string& text) const {
  ASSIGN_OR_RETURN(const Uri uri, ParseUri(text));
  ASSIGN_OR_RETURN(auto found, FoundSlots(*functions_));
  std::erase_if(found, [&](FoundSlot& slot) {
    return p11_kit_uri_match_token_info(uri.get(), &slot.info) != 1;
  });
  if (found.empty()) {
    return Error{ErrorCode::kNotFound,
                 fmt::format("no token matches \"{}\"", text)};
  }
  if (found.size() > 1) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{} tokens match \"{}\"; add its serial number",
                             found.size(), text)};
  }
  return SlotOf(found.front());
}

base::Result<std::vector<Slot>> Module::Slots() const {
  ASSIGN_OR_RETURN(const auto found, FoundSlots(*functions_));
  std::vector<Slot> slots;
  slots.reserve(found.size());
  for (const FoundSlot& slot : found) {
    slots.push_back(SlotOf(slot));
  }
  return slots;
}

}  // namespace hsm::token
