package db

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse/gatehouse/libs/problem"
)

// Response is an answer that is given again to the same request.
type Response struct {
	Status int
	Header map[string]string
	Body   []byte
}

// KeyLifetime is how long an Idempotency-Key is remembered.
const KeyLifetime = 24 * time.Hour

const maxKey = 255

type idempotencyRow struct {
	OrganizationID string `gorm:"primaryKey"`
	IdempotencyKey string `gorm:"primaryKey"`
	RequestHash    string
	Status         int
	Header         string
	Body           []byte
	CreatedAt      time.Time
}

// TableName is for gorm.
func (idempotencyRow) TableName() string { return "idempotency_keys" }

// Once runs fn in a transaction together with the record of its answer, so that
// a request with an Idempotency-Key takes effect once, however often it comes.
// request is all that makes it this request: method, path and body. When the
// key has come before with the same request, its answer is returned, and replay
// is true; with another request the error is a problem 422. One that comes
// while the first still runs waits for it. Nothing is kept of a request that
// failed. Without a key fn is simply run.
func (d *DB) Once(ctx context.Context, organization, key string, request []byte, fn func(tx *Tx) (Response, error)) (answer Response, replay bool, err error) {
	if organization == "" {
		return Response{}, false, errNoOrganization
	}
	if len(key) > maxKey {
		return Response{}, false, problem.New(problem.CodeBadRequest, "the Idempotency-Key has more than %d bytes: send a shorter one, such as a UUID", maxKey)
	}
	sum := sha256.Sum256(request)
	row := idempotencyRow{OrganizationID: organization, IdempotencyKey: key, RequestHash: hex.EncodeToString(sum[:]), Body: []byte{}}
	for range txAttempts {
		taken := false
		err = d.Tx(ctx, func(tx *Tx) error {
			taken = false
			mine := row
			if key != "" {
				mine.CreatedAt = d.Now()
				g := tx.orm.WithContext(ctx)
				if err := g.Delete(&idempotencyRow{}, "organization_id = ? AND idempotency_key = ? AND created_at < ?", organization, key, d.Now().Add(-KeyLifetime)).Error; err != nil {
					return err
				}
				if err := g.Create(&mine).Error; err != nil {
					taken = errors.Is(classify(err), ErrDuplicate)
					return err
				}
			}
			var err error
			if answer, err = fn(tx); err != nil || key == "" {
				return err
			}
			return tx.keepAnswer(mine, answer)
		})
		if taken {
			again := false
			if answer, again, err = d.answerOf(ctx, row); again {
				continue // the first one failed after all
			}
			return answer, err == nil, err
		}
		break
	}
	if isLockTimeout(err) {
		err = problem.New(problem.CodeConflict, "a request with the same Idempotency-Key is still at work; try again later").Because(err)
	}
	return answer, false, err
}

// AnswerLost is the problem of a request that comes again after its answer, which
// was kept encrypted, can be read no longer: its key was taken out meanwhile.
func AnswerLost(err error) error {
	return problem.New(problem.CodeConflict, "this request was carried out before, but what it was answered can be read no longer, because its encryption key was taken out: look for what it made, and send a new Idempotency-Key for a new one").Because(err)
}

func (t *Tx) keepAnswer(row idempotencyRow, answer Response) error {
	header, err := json.Marshal(answer.Header)
	if err != nil {
		return fmt.Errorf("keeping the answer: %w", err)
	}
	body := answer.Body
	if body == nil {
		body = []byte{}
	}
	return t.orm.WithContext(t.ctx).Model(&idempotencyRow{}).
		Where("organization_id = ? AND idempotency_key = ?", row.OrganizationID, row.IdempotencyKey).
		Updates(map[string]any{"status": answer.Status, "header": string(header), "body": body}).Error
}

// answerOf returns what the request was answered. again is true when its record
// is gone.
func (d *DB) answerOf(ctx context.Context, want idempotencyRow) (answer Response, again bool, err error) {
	var rows []idempotencyRow
	err = d.session(ctx, false).Where("organization_id = ? AND idempotency_key = ?", want.OrganizationID, want.IdempotencyKey).Find(&rows).Error
	if err != nil {
		return Response{}, false, err
	}
	if len(rows) == 0 {
		return Response{}, true, nil
	}
	if rows[0].RequestHash != want.RequestHash {
		return Response{}, false, problem.New(problem.CodeIdempotencyKeyReused, "this Idempotency-Key came with another request before: send a new key for a new request")
	}
	answer = Response{Status: rows[0].Status, Body: rows[0].Body}
	if err := json.Unmarshal([]byte(rows[0].Header), &answer.Header); err != nil {
		return Response{}, false, fmt.Errorf("reading the kept answer: %w", err)
	}
	return answer, false, nil
}

// ForgetKeys deletes Idempotency-Keys that are too old to be answered, and
// returns their number. The relay does it from time to time.
func (d *DB) ForgetKeys(ctx context.Context) (int64, error) {
	g := d.orm.WithContext(ctx).Delete(&idempotencyRow{}, "created_at < ?", d.Now().Add(-KeyLifetime))
	return g.RowsAffected, g.Error
}
