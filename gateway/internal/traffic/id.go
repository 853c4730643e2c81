package traffic

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// IDs makes request ids: UUIDs of version 7 (RFC 9562 section 5.7) as text.
// Those of one generator ascend: the 12 bits after the milliseconds hold the
// fraction of the millisecond, and count on within the same 244 ns (method 3 of
// section 6.2). 62 bits come from ChaCha8, so that an id cannot be guessed from
// others. The zero value is ready to use, by any number of goroutines.
type IDs struct{ last atomic.Int64 }

// New returns an id for a request that began at now.
func (g *IDs) New(now time.Time) string {
	var b [36]byte
	g.append(&b, now)
	return string(b[:])
}

func (g *IDs) append(b *[36]byte, now time.Time) {
	ns := now.UnixNano()
	tick := ns/1e6<<12 | ns%1e6*4096/1e6 // ms and fraction, 60 bits
	for {
		last := g.last.Load()
		tick = max(tick, last+1)
		if g.last.CompareAndSwap(last, tick) {
			break
		}
	}
	ms, random := uint64(tick>>12), rand.Uint64()
	var u [16]byte
	binary.BigEndian.PutUint64(u[:8], ms<<16|0x7000|uint64(tick)&0xfff)
	binary.BigEndian.PutUint64(u[8:], 1<<63|random>>2)
	hex.Encode(b[0:8], u[0:4])
	b[8] = '-'
	hex.Encode(b[9:13], u[4:6])
	b[13] = '-'
	hex.Encode(b[14:18], u[6:8])
	b[18] = '-'
	hex.Encode(b[19:23], u[8:10])
	b[23] = '-'
	hex.Encode(b[24:36], u[10:16])
}
