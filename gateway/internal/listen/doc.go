// Package listen opens the gateway's ports and brings connections to the point
// where HTTP begins: sockets that survive a restart, the PROXY protocol, TLS
// with its certificates and client authentication, and the choice between
// HTTP/1.1 and HTTP/2. It must not know HTTP messages, routes or policies: a
// connection is handed to a [ConnServer].
package listen
