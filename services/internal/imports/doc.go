// Package imports has the test of who may import whom among the services. There
// is nothing else in it.
package imports
