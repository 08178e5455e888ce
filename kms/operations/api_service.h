// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_API_SERVICE_H_
#define KMS_OPERATIONS_API_SERVICE_H_

#include "kms/operations/call.h"
#include "kms/service.h"

namespace kms::operations {

// The Service of the operations table: every request, whatever its door, passes
// Handle, and there the same steps in the same order.
class ApiService final : public Service {
 public:
  // `environment` is borrowed.
  explicit ApiService(Environment& environment) : environment_(environment) {}

  boost::asio::awaitable<base::Result<Reply>> Handle(
      const Request& request) override;
  base::Status Ready() const override;

 private:
  boost::asio::awaitable<base::Result<Reply>> Run(Call& call);
  boost::asio::awaitable<base::Status> Record(Call& call,
                                              const base::Error* error);

  Environment& environment_;
};

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_API_SERVICE_H_
