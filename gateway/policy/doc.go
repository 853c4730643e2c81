// Package policy is the plug-in contract of the gateway: what a policy type
// declares ([Definition], made by [Define]), what one configured policy does
// ([Hooks]), what it acts on ([Exchange]) and what it may use ([Env]).
//
// A policy knows neither of the transports: HTTP/1.1 and HTTP/2 requests come
// to it as the same Exchange. It may import this package, libs/schema and
// libs/problem, and nothing else of Gatehouse.
package policy
