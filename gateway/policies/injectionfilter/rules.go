package injectionfilter

import "regexp"

// place is where a text stands in a request, as a set of bits.
type place uint8

const (
	inPath place = 1 << iota
	inQuery
	inHeader
	inBody

	everywhere = inPath | inQuery | inHeader | inBody
)

// rule finds one kind of attack. It sees texts in lower case, without NUL, with
// each run of white space as one space, and once more with each comment of SQL
// as one space; but for raw ones, which see texts as they were decoded.
type rule struct {
	set   string
	where place
	// literals: one of them must be in the text for the expression to be tried.
	literals []string
	raw      bool
	// anchor, where set, makes the expression be tried where the word before the
	// anchor begins, and nowhere else.
	anchor []byte
	expr   *regexp.Regexp
}

// cross returns all of the first with all of the others behind them.
func cross(first []string, then ...[]string) []string {
	for _, t := range then {
		var out []string
		for _, a := range first {
			for _, b := range t {
				out = append(out, a+b)
			}
		}
		first = out
	}
	return first
}

func join(lists ...[]string) (out []string) {
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

// rules returns the rules of the sets that are wanted.
func rules(wanted func(set string) bool) []rule {
	space := []string{"", " "}
	quoted := cross([]string{"'", "\""}, []string{"", ")", "))", " )"}, space)
	digits := []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}
	commands := []string{
		"/bin", "/sbin", "/usr", "cat ", "ls", "wget ", "curl ", "sh", "bash", "zsh", "ksh", "nc ", "ncat ", "whoami", "uname",
		"rm -", "chmod ", "ping -", "python", "perl ", "php ", "ruby ", "node ", "powershell", "cmd", "sleep ", "nslookup ",
		"type ", "net user", "ifconfig", "netstat ", "dir ",
	}
	all := []rule{
		{
			set: "sql", where: everywhere,
			literals: cross(quoted, []string{"or", "and", "xor", "||", "&&"}),
			expr: regexp.MustCompile(`['"]\s?\)*\s?(?:or|and|xor|\|\||&&)\s?(?:not\s)?\(*\s?['"]?[\w.@]*['"]?\s?` +
				`(?:[=<>]|!=|\blike\s?['"]|\bin\s?\(|\bis\s(?:not\s)?null|\bbetween\s\S+\sand|\bregexp\s?['"])` +
				`|['"]\s?\)*\s?(?:or|\|\|)\s?(?:true|\d+)\s?(?:--|#|/\*|;|$)`),
		},
		{
			set: "sql", where: everywhere,
			literals: cross([]string{"or ", "and "}, []string{"", "("}, digits),
			expr:     regexp.MustCompile(`(?:^|[\s\d)'"])(?:or|and)\s\(*\d+\)*\s?=\s?\(*\d+`),
		},
		{
			set: "sql", where: everywhere, literals: []string{"union"},
			expr: regexp.MustCompile(`\bunion[\s(+]+(?:(?:all|distinct)[\s(+]+)?select[\s(+]+(?:all\s|distinct\s)?` +
				`(?:null\b|\d|\*|@|['"(]|[\w.]+\s?(?:,|\(|\bfrom\b))`),
		},
		{
			set: "sql", where: everywhere,
			literals: cross([]string{";"}, space, []string{
				"drop ", "alter ", "truncate ", "insert ", "delete ", "update ", "exec", "declare ", "shutdown", "create ",
			}),
			expr: regexp.MustCompile(`;\s?(?:drop\s(?:table|database|schema|view|user|index|procedure|function)\b|` +
				`alter\s(?:table|user|database|role)\b|truncate\stable\b|insert\sinto\b|delete\sfrom\s\w|update\s[\w.]+\sset\b|` +
				`exec(?:ute)?[\s(]+(?:xp_|sp_|immediate|master|['"@(])|declare\s@|shutdown(?:\swith\snowait|\s?(?:;|--|$))|` +
				`create\s(?:table|user|role|database|function|procedure|or\sreplace)\b)`),
		},
		{
			set: "sql", where: everywhere,
			literals: cross(quoted, []string{"", ";", "; "}, []string{"--", "#", "/*"}),
			expr:     regexp.MustCompile(`['"]\s?\)*\s?;?\s?(?:--\s?-?\s?$|#\s?$|/\*)`),
		},
		{
			set: "sql", where: everywhere,
			literals: join(cross([]string{"sleep", "benchmark", "pg_sleep", "load_file", "extractvalue", "updatexml"}, space, []string{"("}),
				[]string{
					"waitfor ", "xp_", "into outfile", "into dumpfile", "information_schema", "utl_", "dbms_", "@@version",
					"sysobjects",
				}),
			expr: regexp.MustCompile(`\b(?:pg_)?sleep\s?\(\s?\d+(?:\.\d+)?\s?\)|\bbenchmark\s?\(\s?\d+\s?,|\bwaitfor\s(?:delay|time)\s?['"]|` +
				`\bload_file\s?\(|\bxp_(?:cmdshell|dirtree|regread)\b|\b(?:extractvalue|updatexml)\s?\(|\binto\s(?:out|dump)file\s?['"]|` +
				`\binformation_schema\s?\.\s?\w|\butl_(?:http|inaddr)\s?\.|\bdbms_(?:pipe|lock|ldap)\s?\.|@@version\b|\bfrom\ssysobjects\b`),
		},
		{
			set: "sql", where: everywhere,
			literals: cross(quoted, []string{"having ", "group by", "order by", "procedure ", "limit "}),
			expr: regexp.MustCompile(`['"]\s?\)*\s?(?:having\s\S+\s?[=<>]|group\sby\s[\w.]+\s?(?:,|having|--|#)|order\sby\s\d|procedure\sanalyse|` +
				`limit\s\d+\s?,)`),
		},
		{
			set: "sql", where: everywhere, literals: cross([]string{"("}, space, []string{"select"}),
			expr: regexp.MustCompile(`['"=<>|,+*-]\s?\(\s?select\s.{1,200}?\bfrom\s|\bexists\s?\(\s?select\s|` +
				`\(\s?select\s(?:\*|@@|count\s?\(|char\s?\(|case\swhen|user\s?\(|database\s?\(|version\s?\()`),
		},
		{
			set: "xss", where: everywhere,
			literals: cross([]string{"<", "</", "< "}, []string{
				"script", "iframe", "object", "embed", "applet", "meta", "base", "frame", "svg", "math", "bgsound", "isindex",
			}),
			expr: regexp.MustCompile(`<\s?/?\s?(?:(?:script|iframe|svg)(?:[\s/>]|$)|` +
				`(?:object|embed|applet|meta|base|frameset|frame|math|bgsound|isindex)[\s/]+[a-z])`),
		},
		{
			set: "xss", where: everywhere,
			literals: cross([]string{"on"}, []string{
				"abort", "after", "animation", "before", "begin", "blur", "bounce", "can", "change", "click", "close", "context", "copy",
				"cut", "dbl", "drag", "drop", "end", "error", "finish", "focus", "hash", "input", "invalid", "key", "load", "message",
				"mouse", "page", "paste", "play", "pointer", "pop", "progress", "ready", "repeat", "reset", "resize", "scroll", "search",
				"seek", "select", "show", "start", "stop", "storage", "submit", "toggle", "touch", "transition", "unload", "wheel",
			}),
			expr: regexp.MustCompile("(?:<[a-z!/?][^>]*|[\"'`][^<>]{0,100}?)[\\s/\"'`]on[a-z]{3,30}\\s?=|[\"'`]on[a-z]{3,30}\\s?="),
		},
		{
			set: "xss", where: everywhere, literals: cross([]string{"javascript", "java script", "vbscript", "livescript"}, space, []string{":"}),
			expr: regexp.MustCompile("(?:java\\s?|vb|live)script\\s?:\\s?(?:[^\\s]{0,60}[(=`\\[]|//|/\\*)"),
		},
		{
			set: "xss", where: everywhere, literals: []string{"data:text/html", "data:image/svg", "data:application/xhtml"},
			expr: regexp.MustCompile(`data:(?:text/html|image/svg\+xml|application/xhtml)[^,]{0,80},`),
		},
		{
			set: "xss", where: everywhere,
			literals: []string{"document.", "document .", "fromcharcode", "srcdoc", "-moz-binding", "expression(", "expression (", "innerhtml"},
			expr: regexp.MustCompile(`document\s?\.\s?(?:cookie|write(?:ln)?\s?\(|domain\s?=)|string\s?\.\s?fromcharcode\s?\(|\bsrcdoc\s?=|` +
				`-moz-binding\s?:|style\s?=.{0,80}expression\s?\(|\.innerhtml\s?\+?=`),
		},
		{
			set: "path-traversal", where: inPath | inQuery | inHeader, literals: []string{"../", `..\`, "..;", "/..", `\..`, "=.."},
			expr: regexp.MustCompile(`(?:^|[/\\=;])\.\.(?:[;/\\]|$)`),
		},
		{
			set: "path-traversal", where: inBody, literals: []string{"../..", `..\..`},
			expr: regexp.MustCompile(`\.\.[/\\]\.\.[/\\]`),
		},
		{
			set: "path-traversal", where: everywhere,
			literals: []string{
				"/etc/", "/proc/self", "boot.ini", "win.ini", ":/win", `:\win`, `:\\win`, "web-inf", ".htpasswd", ".htaccess", ".ssh/",
			},
			expr: regexp.MustCompile(`/etc/(?:passwd|shadow|group|hosts|sudoers|ssh)\b|/proc/self/(?:environ|cmdline|maps|fd)|` +
				`(?:^|[/\\])(?:boot|win)\.ini\b|\b[a-z]:[/\\]+win(?:dows|nt)[/\\]|web-inf[/\\]|(?:^|[/\\])\.ht(?:passwd|access)\b|` +
				`\.ssh/(?:id_|authorized)`),
		},
		// Longer forms of "." and "/" that UTF-8 forbids.
		{set: "path-traversal", where: everywhere, literals: []string{"\xc0\xae", "\xc0\xaf", "\xc1\x9c", "\xe0\x80\xaf", "%c0%ae", "%c0%af", "%c1%9c"}},
		{set: "path-traversal", where: inPath | inQuery | inHeader, raw: true, literals: []string{"\x00"}},
		{
			set: "command", where: everywhere,
			literals: cross([]string{";", "|", "&"}, space, commands),
			expr: regexp.MustCompile(`[;|&]\s?(?:(?:/usr)?(?:/local)?/s?bin/\w+|cat\s(?:-\w\s)?(?:[/~.][\w/.~*$-]|[\w-]+/|[$*]|[\w-]+\.(?:txt|conf|cfg|log|php|py|sh|env|json|ya?ml|ini|key|pem|db|xml|html?)\b)|ls\s(?:-[a-z]|/|~|\.)|ls\s?(?:$|[;|&])|` +
				`(?:wget|curl)\s(?:-|https?:|ftp:|[\w-]+\.\w)|(?:ba|z|k|c)?sh\s-\w|nc(?:at)?\s(?:-|\d|[\w.]+\s\d)|whoami\s?(?:$|[;|&])|` +
				`uname\s?(?:-|$|[;|&])|rm\s-|chmod\s[+\d]|ping\s-|(?:python[23]?|perl|php|ruby|node)\s-|powershell(?:\.exe)?\s-|` +
				`cmd(?:\.exe)?\s?/[ck]|sleep\s\d+\s?(?:$|[;|&])|nslookup\s[\w-]+\.|type\s[a-z]:|net\suser\b|ifconfig\s?(?:$|[;|&])|` +
				`netstat\s-|dir\s[a-z]:)|\s\|\s?(?:ba|z|k)?sh\s?(?:$|[;|&])`),
		},
		{
			set: "command", where: everywhere,
			literals: []string{"$(", "`", "$ifs", "${ifs", "/dev/tcp/", "/dev/udp/", "/bin/", "(){", "() {", "${jndi", "${$", "${lower:", "${upper:", "${env:", "${sys:", "${::"},
			expr: regexp.MustCompile("\\$\\(\\s?(?:cat|ls|id|whoami|uname|curl|wget|sleep|ping|nc|bash|sh|echo|printf|expr|/\\w+)[\\s)/]|" +
				"`\\s?(?:cat\\s[/.~\\w]|ls(?:\\s[/.~-]|`)|id`|whoami`|uname(?:\\s-|`)|curl\\s|wget\\s|sleep\\s\\d|ping\\s|/bin/)[^`]*`?|" +
				`\$\{?ifs\b|/dev/(?:tcp|udp)/|/bin/(?:ba|z|k|c|da)?sh\b|\(\)\s?\{\s?[^}]{0,20}\}\s?;|` +
				`\$\{(?:jndi:|\$\{|lower:|upper:|env:|sys:|::-)`),
		},
		{
			set: "ldap", where: everywhere,
			literals: join(cross([]string{")"}, space, []string{"("}), cross([]string{"("}, space, []string{"|", "&"}), []string{"*)"}),
			expr:     regexp.MustCompile(`\)\s?\(\s?[|&!]\s?[()\w]|\*\s?\)\s?\(|\(\s?[|&]\s?\(\s?\w+\s?[~<>]?=|\)\s?\(\s?\w+\s?=\s?\*`),
		},
		{
			set: "xpath", where: everywhere,
			literals: join(cross([]string{"'", "\""}, space, []string{"or", "and", "|", "]"}), []string{"::"}),
			expr: regexp.MustCompile(`['"]\s?(?:or|and)\s(?:not|count|position|string-length|substring(?:-before|-after)?|name|contains|starts-with|true)\s?\(|` +
				`['"]\s?\]?\s?\|\s?/|/(?:child|descendant|parent|ancestor|self|following|preceding|attribute)(?:-or-self|-sibling)?::|` +
				`['"]\s?or\s?['"]?(\d)['"]?\s?=\s?['"]?\d`),
		},
		{
			set: "header-injection", where: inPath | inQuery | inHeader, raw: true, literals: []string{"\r", "\n"},
			expr: regexp.MustCompile(`(?i)[\r\n]+[ \t]*(?:http/1\.[01]\s\d|(?:set-cookie|location|content-(?:type|length|disposition|encoding)|host|` +
				`x-forwarded-[a-z]+|access-control-[a-z-]+|transfer-encoding|refresh|link|status|authorization|bcc|cc)[ \t]*:)`),
		},
		{
			set: "ssrf", where: inQuery | inBody, literals: []string{":/"}, anchor: []byte(":/"),
			expr: regexp.MustCompile(`^(?:(?:gopher|dict|ldaps?|tftp|jar|netdoc|phar|expect)://|php://(?:input|filter|data)|file:/{1,3}\w|` +
				`https?:/{1,3}(?:[^/@\s]*@)?(?:localhost|127\.\d|0\.0\.0\.0|0(?:[:/]|$)|10\.\d+\.\d|192\.168\.|169\.254\.|` +
				`172\.(?:1[6-9]|2\d|3[01])\.|\[(?:::1?\]|::ffff:|f[cd][0-9a-f]|fe80)|metadata\.google|instance-data|` +
				`\d{8,10}(?:[:/?#]|$)|0x[0-9a-f]{6,8}|0\d{3,}\.|[\w.-]+\.(?:internal|localhost|local)(?:[:/?#]|$)))`),
		},
	}
	var out []rule
	for _, r := range all {
		if wanted(r.set) {
			out = append(out, r)
		}
	}
	return out
}
