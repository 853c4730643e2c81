package db

import (
	"context"
	"log/slog"
	"time"

	"gorm.io/gorm/logger"
)

// noLog is the part of gorm's logger that says nothing.
type noLog struct{}

func (noLog) Info(context.Context, string, ...any)  {}
func (noLog) Warn(context.Context, string, ...any)  {}
func (noLog) Error(context.Context, string, ...any) {}

// LogMode is for gorm; there is one level.
func (s slowLog) LogMode(logger.LogLevel) logger.Interface { return s }

// ParamsFilter is for gorm; it keeps values out of logged statements.
func (slowLog) ParamsFilter(_ context.Context, statement string, _ ...any) (string, []any) {
	return statement, nil
}

// Trace is for gorm, which calls it after each query.
func (s slowLog) Trace(ctx context.Context, begin time.Time, statement func() (string, int64), _ error) {
	took := time.Since(begin)
	if took < s.limit {
		return
	}
	text, rows := statement()
	s.log.LogAttrs(ctx, slog.LevelWarn, "slow query", slog.Duration("took", took), slog.Int64("rows", rows), slog.String("statement", text))
}
