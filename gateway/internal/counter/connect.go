package counter

import (
	"crypto/tls"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
)

// Connection says where Redis is.
type Connection struct {
	// Addresses are host:port of the server, of the Sentinels, or of some nodes
	// of the cluster.
	Addresses []string
	// Primary is the name of the primary that the Sentinels watch; "" = the
	// addresses are not Sentinels.
	Primary string
	// Cluster says that the addresses are nodes of a Redis cluster.
	Cluster bool
	// Username and Password authenticate at Redis, SentinelUsername and
	// SentinelPassword at the Sentinels.
	Username, Password                 string
	SentinelUsername, SentinelPassword string
	// Database is the number of the database; clusters have only 0.
	Database int
	// TLS is used where it is not nil.
	TLS *tls.Config
}

// Connect returns a client whose time limits suit counting: calls are bounded
// by their context and not tried again, since a call tried again is counted
// again. It does not wait for the server.
//
// It silences the log of the client library, which is one for the process and
// would say at each attempt what the breaker says once.
func Connect(c Connection) redis.UniversalClient {
	redis.SetLogger(&logging.VoidLogger{})
	return redis.NewUniversalClient(&redis.UniversalOptions{
		Addrs: c.Addresses, MasterName: c.Primary, IsClusterMode: c.Cluster,
		Username: c.Username, Password: c.Password,
		SentinelUsername: c.SentinelUsername, SentinelPassword: c.SentinelPassword,
		DB: c.Database, TLSConfig: c.TLS,
		ContextTimeoutEnabled: true,
		MaxRetries:            -1,
		DialerRetries:         1,
		DialTimeout:           time.Second,
		ReadTimeout:           time.Second,
		WriteTimeout:          time.Second,
		PoolSize:              64,
	})
}
