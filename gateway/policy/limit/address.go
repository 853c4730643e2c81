package limit

import (
	"net/netip"
	"sync"
	"sync/atomic"
)

// addresses keeps the texts of recent client addresses, so that a known one
// costs no memory.
type addresses struct {
	once sync.Once
	kept []atomic.Pointer[address]
}

type address struct {
	addr netip.Addr
	text string
}

const keptAddresses = 512

// text returns the address as a key. Of an IPv6 address it is the /64, which is
// the least that one subscriber is given (RFC 6177), since anyone has 2^64
// addresses in it.
func (a *addresses) text(addr netip.Addr) string {
	addr = addr.Unmap().WithZone("")
	var slot uint32
	if addr.Is4() {
		b := addr.As4()
		slot = uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	} else {
		b := addr.As16()
		clear(b[8:])
		for _, x := range b[:8] {
			slot = slot*257 + uint32(x)
		}
		if addr.IsValid() {
			addr = netip.AddrFrom16(b)
		}
	}
	a.once.Do(func() { a.kept = make([]atomic.Pointer[address], keptAddresses) })
	p := &a.kept[(slot*0x9e3779b1)>>23]
	if k := p.Load(); k != nil && k.addr == addr {
		return k.text
	}
	text := addr.String()
	if addr.Is6() {
		text += "/64"
	}
	p.Store(&address{addr: addr, text: text})
	return text
}
