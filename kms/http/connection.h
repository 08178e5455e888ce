// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_HTTP_CONNECTION_H_
#define KMS_HTTP_CONNECTION_H_

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "kms/http/message.h"
#include "kms/http/server_state.h"

// Between server.cc and connection.cc; nobody else includes this.
namespace kms::http {

// Sockets name their executor's type: a type-erased one costs at every step.
template <typename Protocol>
using Socket =
    boost::asio::basic_stream_socket<Protocol,
                                     boost::asio::io_context::executor_type>;
using TcpSocket = Socket<boost::asio::ip::tcp>;
using UnixSocket = Socket<boost::asio::local::stream_protocol>;

// Serves one connection until it ends.
void ServePlain(std::shared_ptr<ServerState> state, TcpSocket socket,
                Peer peer);
void ServeUnix(std::shared_ptr<ServerState> state, UnixSocket socket,
               Peer peer);
void ServeTls(std::shared_ptr<ServerState> state, TcpSocket socket, Peer peer,
              boost::asio::ssl::context& tls);

}  // namespace kms::http

#endif  // KMS_HTTP_CONNECTION_H_
