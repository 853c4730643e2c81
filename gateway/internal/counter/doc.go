// Package counter owns the counts behind limits: rate limits, quotas, spike
// arrests and concurrency limits. It implements [policy.Counters] in memory and
// over Redis, keeps counts over configuration changes and restarts, and goes on
// answering while Redis is away. It knows nothing of requests, headers or
// problems of particular policies.
//
// # What shares a count
//
// A count belongs to exactly (limiter name, rules, where it is kept, key,
// window). Limiters of one name and equal rules continue each other's counts,
// also when a configuration unit is compiled anew; other rules start anew.
//
// # Time
//
// Counting is done in whole microseconds, with the same arithmetic in Go and in
// the Redis script. Counts here follow the system clock, read so that it does
// not step back between two adjustments. Shared counts follow the clock of
// Redis, so that gateways whose clocks differ agree on where a window begins;
// each gateway keeps the difference it last saw, for calendar periods and for
// the time that Redis is away. A clock that goes back never opens a window
// again: the newer window stays in force until the clock has caught up, unless
// it is more than a window ahead.
//
// # Memory
//
// A key costs about 150 bytes and its own length, and is forgotten when its
// window is over. A limiter keeps at most [Options.MaxKeys] keys. When there
// are more, the keys that are known keep their counts, and all further keys
// share one count until others run out: somebody who invents keys can neither
// reset nor exhaust the count of another known key.
//
// # Redis away
//
// A call waits for Redis at most [Options.Budget]. After a few failures a
// breaker opens, and calls are answered at once as [policy.LimiterSpec] says,
// until a probe in the background succeeds and what was counted here has been
// added to Redis. A call whose answer was lost may have been counted by Redis
// already; it is then counted twice rather than not at all.
//
// Gateways tell Redis the highest count they have seen with each call, so that
// a Redis that comes back empty, or a replica that was behind when it took
// over, does not reset a quota.
//
// # Restarts
//
// Counts of windows of a minute and longer are written to [Options.Path] every
// [Options.SaveEvery] and on Close. A process that is killed loses at most what
// it counted since the last save.
package counter
