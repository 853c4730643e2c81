// Package e2e has no code but tests: of whole gateways, in this process and as
// processes of their own, between real clients and real servers.
package e2e
