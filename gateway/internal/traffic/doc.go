// Package traffic writes down what happened to each request: the traffic record,
// redacted, to its sinks, and the decision that explains it to a bounded memory
// from which the newest can be asked for by request id. It knows neither the
// transports nor the router nor how policies decide: it reads the exchange when
// all is over.
package traffic
