// Package testkit starts the real things that tests need, such as a Redis, and
// holds the few aids that every package's tests share. It is for tests only and
// knows nothing of the product.
package testkit
