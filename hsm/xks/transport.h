// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_XKS_TRANSPORT_H_
#define HSM_XKS_TRANSPORT_H_

#include <curl/curl.h>
#include <poll.h>

#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "hsm/messages.h"
#include "hsm/xks/gate.h"
#include "hsm/xks/settings.h"
#include "hsm/xks/transfer.h"

namespace hsm::xks {

// A Transport sends requests to XKS proxies, many at a time, and keeps the
// connections to them. It never waits but in Wait(). Requests are asked once;
// only one that finds its kept connection dead, before any byte of an answer,
// goes out again (by libcurl), for the proxy has not taken it. Not
// synchronised.
class Transport {
 public:
  using Done = Transfer::Done;

  // `clock` is borrowed. Fails with kInvalidArgument if a file of the settings
  // cannot be used.
  static base::Result<std::unique_ptr<Transport>> Create(
      Settings settings, const base::Clock& clock);
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  // Begins to ask, and calls `done` from Advance(), with an Error of kIo if
  // this host's own network let nothing out; or returns the reply at once, if
  // the proxy is not asked. Fails with kInvalidArgument as SignRequest() does.
  base::Result<std::optional<XksReply>> Ask(const XksRequest& request,
                                            Done done);

  // Waits until a descriptor of ours or of `others` is ready, or a while has
  // passed, and fills in the events of the others. Fails with kIo.
  base::Status Wait(std::vector<pollfd>& others);

  // Does what can be done without waiting.
  void Advance();

  std::size_t in_flight() const { return transfers_.size(); }

 private:
  struct FreeMulti {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };

  Transport(Settings settings, const base::Clock& clock);
  base::Result<std::optional<XksReply>> Refusal(const XksRequest& request,
                                                const std::string& host);
  void Complete(CURL* easy, CURLcode code);

  const Surroundings surroundings_;
  const base::Clock& clock_;
  Gate gate_;
  std::unique_ptr<CURLM, FreeMulti> multi_;
  std::unordered_map<CURL*, std::unique_ptr<Transfer>> transfers_;
  std::vector<curl_waitfd> waited_;
};

}  // namespace hsm::xks

#endif  // HSM_XKS_TRANSPORT_H_
