// The address at which this rank listens for the other ranks: that of the interface that VAEC_IFNAME or
// GLOO_SOCKET_IFNAME names, else that from which the rendezvous host is reached.
#pragma once
#include <string>

namespace core {

/// Failure(bad_configuration) if the interface does not exist or has no address, or the host is not known.
std::string own_address(const std::string& host, int port);
bool is_loopback(const std::string& address);
/// The interfaces of this machine that have an address, without the loopback: "eth0 (10.0.0.2), ib0 (...)".
std::string interfaces_text();

}  // namespace core
