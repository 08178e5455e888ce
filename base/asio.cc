// SPDX-License-Identifier: Apache-2.0
// The one translation unit that holds Boost.Asio's and Beast's non-template
// code (BOOST_ASIO_SEPARATE_COMPILATION): it saves seconds in every other one.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
