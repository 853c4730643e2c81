package basicauth

import "testing"

func FuzzParse(f *testing.F) {
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21l$c29tZXRhZ3NvbWV0YWdzb21l")
	f.Add("$argon2id$v=19$m=8,t=1,p=1$$")
	f.Fuzz(func(t *testing.T, hash string) {
		p, err := parse(hash)
		if err == nil && (p.memory > maxMemory || p.passes == 0 || p.passes > maxPasses || p.lanes == 0 || len(p.salt) > 64 || len(p.tag) > 64) {
			t.Fatalf("out of bounds: %+v", p)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add("QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
	f.Fuzz(func(t *testing.T, value string) {
		user, password, ok := decode(value)
		if ok && (user == "" || password == "") {
			t.Fatal("an empty part was accepted")
		}
	})
}
