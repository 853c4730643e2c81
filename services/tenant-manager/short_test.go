package tenantmanager_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/libs/schema"
	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

type configuration = tenantmanager.Config

func seconds(n int) schema.Duration { return schema.Duration(time.Duration(n) * time.Second) }

const (
	eventually = 10 * time.Second
	tick       = 2 * time.Millisecond
)

func newLog() *slog.Logger { return slog.New(slog.DiscardHandler) }

func contextOf(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithCancel(context.WithoutCancel(t.Context()))
}
