package reference

import "context"

// Renew does what is done beside [Resolver.Run] for the token.
func Renew(ctx context.Context, r *Resolver) { _, _ = r.vault.renew(ctx) }
