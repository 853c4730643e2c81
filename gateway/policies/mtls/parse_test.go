package mtls

import "testing"

func FuzzParse(f *testing.F) {
	f.Add("-----BEGIN%20CERTIFICATE-----%0AAAAA%0A-----END%20CERTIFICATE-----")
	f.Add(":MIIB:")
	f.Add("MIIB")
	f.Fuzz(func(t *testing.T, value string) {
		if c, err := parse(value); (c == nil) == (err == nil) {
			t.Fatal("either a certificate or an error")
		}
	})
}
