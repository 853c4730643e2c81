// Package imports checks who imports whom in Gatehouse. It owns the rules of
// which package may know which, and has nothing to import itself.
package imports
