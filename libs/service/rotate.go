package service

import (
	"context"
	"errors"
	"time"
)

// rotateAgain is how long it takes until what could not be encrypted anew is tried
// again.
const rotateAgain = time.Hour

// rotateAll encrypts with the newest key of the keyring what is older. Replicas may
// do it at the same time. A keyring changes with a restart only, so once is enough.
func (k *Kit) rotateAll(ctx context.Context) error {
	var errs []error
	g := k.DB.Unscoped(ctx, "secrets of all organizations are encrypted anew")
	for _, c := range k.r.opt.Secrets {
		n, err := k.Keyring.Rotate(ctx, g, c)
		if n > 0 {
			k.Log.InfoContext(ctx, "encrypted with the newest key", "table", c.Table, "column", c.Name, "rows", n)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
