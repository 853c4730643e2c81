package store

import (
	"context"
	"errors"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// LetterWords are what an organization writes in letters of a kind and language, in
// place of what Gatehouse does.
type LetterWords struct {
	Stored `gorm:"embedded"`
	// Kind is that of the letter, Language a tag of BCP 47.
	Kind, Language    string
	Subject, Greeting string
	Body              string
	Action, UntilText string
	Footer            string
}

// TableName is for gorm.
func (LetterWords) TableName() string { return "letters" }

// Letters returns the words of all letters that the organization has, by kind and
// language.
func (o *Org) Letters(ctx context.Context) ([]LetterWords, error) {
	return db.From[LetterWords](o.scope).Order("kind", false).Order("language", false).All(ctx)
}

// Letter returns the organization's words of a letter.
func (o *Org) Letter(ctx context.Context, kind, language string) (LetterWords, error) {
	return db.From[LetterWords](o.scope).Where("kind = ? AND language = ?", kind, language).First(ctx)
}

var errLetterChanged = problem.New(problem.CodePreconditionFailed, "the letter was changed in the meantime: read it again, and repeat the change")

// SaveLetter writes the words of a letter, if they have the version that is in l; 1
// is that of words that were never set. Else the error is a problem.
func (t *Tx) SaveLetter(ctx context.Context, l *LetterWords) error {
	was, err := t.Letter(ctx, l.Kind, l.Language)
	if IsNotFound(err) {
		if l.Version != 1 && l.Version != db.AnyVersion {
			return errLetterChanged
		}
		l.Stored = t.stored()
		l.Version = 2
		err := db.Create(ctx, t.scope, l)
		if errors.Is(err, db.ErrDuplicate) { // somebody was faster
			err = errLetterChanged
		}
		return err
	}
	if err != nil {
		return err
	}
	l.ID, l.CreatedAt, l.CreatedBy = was.ID, was.CreatedAt, was.CreatedBy
	return db.Save(ctx, t.scope, l, "subject", "greeting", "body", "action", "until_text", "footer")
}

// DropLetter goes back to Gatehouse's words.
func (t *Tx) DropLetter(ctx context.Context, id string, version int64) error {
	return db.Remove[LetterWords](ctx, t.scope, id, version)
}
