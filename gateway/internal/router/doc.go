// Package router owns the answer to "which operation of which API is this
// request for?". An API is compiled once ([Compile]); compiled APIs make an
// immutable [Index] ([Build], [Index.Update]) that any number of goroutines may
// ask ([Index.Match], [Index.Explain]) without a lock.
//
// The rules of precedence stand in docs/reference/routing.md.
//
// It must not know of configuration units, policies, upstreams or transports:
// its input are the value types of this package and canonical paths and hosts
// as package canon makes them.
package router
