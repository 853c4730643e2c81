package traffic

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/traffic/spool"
)

// Spool is the sink that keeps records on disk until they have been delivered.
type Spool struct{ *spool.Sink }

// NewSpool returns the sink of a valid configuration, which delivers with the
// shipper, or by HTTP to the configured address where shipper is nil.
func NewSpool(c SpoolConfig, shipper spool.Shipper, log *slog.Logger) (*Spool, error) {
	c = Config{Spool: c}.Defaults().Spool
	if shipper == nil {
		h := make(http.Header, len(c.Headers))
		for name, v := range c.Headers {
			h.Set(name, v.Reveal())
		}
		shipper = &spool.HTTP{URL: c.URL, Header: h, Client: &http.Client{
			Timeout:       time.Duration(c.Timeout),
			Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}}
	}
	s, err := spool.NewSink(spool.Options{
		Dir: c.Dir, MaxBytes: int64(c.MaxBytes), Buffer: int64(c.Buffer),
		FlushEvery: time.Duration(c.Flush), SyncEvery: time.Duration(c.Sync), Shipper: shipper, Log: log,
	})
	if err != nil {
		return nil, err
	}
	return &Spool{s}, nil
}

// Stats returns what happened so far. Records that were lost on disk are in
// Spooled.
func (s *Spool) Stats() SinkStats {
	records, dropped, errs := s.Counts()
	return SinkStats{Records: records, Dropped: dropped, Errors: errs}
}
