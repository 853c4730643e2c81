// Package frontends owns the browser apps as they are served: their built files,
// embedded in the program, and the header fields that keep them safe. It knows
// nothing of sessions, hosts and services.
//
// The files come from npm run build, which writes dist/<app>. They are not
// committed: without them, and with the build tag noui, every app is one page
// that says how to build them.
package frontends
