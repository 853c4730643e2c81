/** A request as code, in the languages that most callers use. */

export interface SampleRequest {
  method: string
  url: string
  headers: { name: string; value: string }[]
  body?: string
}

export interface Language {
  id: string
  label: string
  code: (r: SampleRequest) => string
}

/** A JSON string is a string literal in most of these languages. */
const q = (s: string) => JSON.stringify(s)
const shell = (s: string) => `'${s.replace(/'/g, `'\\''`)}'`
const php = (s: string) => `'${s.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`
const ruby = (s: string) => q(s).replace(/#(?=[{$@])/g, '\\#')
const goRaw = (s: string) => (s.includes('`') ? q(s) : `\`${s}\``)

export const languages: Language[] = [
  {
    id: 'curl',
    label: 'curl',
    code: (r) =>
      [
        `curl${r.method === 'GET' ? '' : ` -X ${r.method}`} ${shell(r.url)}`,
        ...r.headers.map((x) => `  -H ${shell(`${x.name}: ${x.value}`)}`),
        ...(r.body ? [`  -d ${shell(r.body)}`] : []),
      ].join(' \\\n'),
  },
  {
    id: 'javascript',
    label: 'JavaScript',
    code: (r) => `const response = await fetch(${q(r.url)}, {
  method: ${q(r.method)},
  headers: {${r.headers.map((x) => `\n    ${q(x.name)}: ${q(x.value)},`).join('')}
  },${r.body ? `\n  body: ${q(r.body)},` : ''}
})
console.log(response.status, await response.text())`,
  },
  {
    id: 'python',
    label: 'Python',
    code: (r) => `import requests

response = requests.request(
    ${q(r.method)},
    ${q(r.url)},
    headers={${r.headers.map((x) => `\n        ${q(x.name)}: ${q(x.value)},`).join('')}
    },${r.body ? `\n    data=${q(r.body)}.encode(),` : ''}
    timeout=30,
)
print(response.status_code, response.text)`,
  },
  {
    id: 'go',
    label: 'Go',
    code: (r) => `req, err := http.NewRequest(${q(r.method)}, ${q(r.url)}, ${r.body ? `strings.NewReader(${goRaw(r.body)})` : 'nil'})
if err != nil {
	return err
}
${r.headers.map((x) => `req.Header.Set(${q(x.name)}, ${q(x.value)})\n`).join('')}res, err := http.DefaultClient.Do(req)
if err != nil {
	return err
}
defer res.Body.Close()
body, err := io.ReadAll(res.Body)`,
  },
  {
    id: 'java',
    label: 'Java',
    code: (r) => `var request = HttpRequest.newBuilder(URI.create(${q(r.url)}))
${r.headers.map((x) => `    .header(${q(x.name)}, ${q(x.value)})\n`).join('')}    .method(${q(r.method)}, ${r.body ? `BodyPublishers.ofString(${q(r.body)})` : 'BodyPublishers.noBody()'})
    .build();
var response = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
System.out.println(response.statusCode() + " " + response.body());`,
  },
  {
    id: 'csharp',
    label: 'C#',
    code: (r) => {
      const type = r.headers.find((x) => x.name.toLowerCase() === 'content-type')?.value
      return `using var client = new HttpClient();
var request = new HttpRequestMessage(new HttpMethod(${q(r.method)}), ${q(r.url)});
${r.headers.filter((x) => x.name.toLowerCase() !== 'content-type').map((x) => `request.Headers.TryAddWithoutValidation(${q(x.name)}, ${q(x.value)});\n`).join('')}${r.body ? `request.Content = new StringContent(${q(r.body)}, Encoding.UTF8, ${q(type ?? 'application/json')});\n` : ''}var response = await client.SendAsync(request);
Console.WriteLine(await response.Content.ReadAsStringAsync());`
    },
  },
  {
    id: 'php',
    label: 'PHP',
    code: (r) => `$curl = curl_init(${php(r.url)});
curl_setopt_array($curl, [
    CURLOPT_CUSTOMREQUEST => ${php(r.method)},
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_HTTPHEADER => [${r.headers.map((x) => `\n        ${php(`${x.name}: ${x.value}`)},`).join('')}
    ],${r.body ? `\n    CURLOPT_POSTFIELDS => ${php(r.body)},` : ''}
]);
echo curl_exec($curl);`,
  },
  {
    id: 'ruby',
    label: 'Ruby',
    code: (r) => `require "net/http"

uri = URI(${ruby(r.url)})
request = Net::HTTP::${r.method.charAt(0)}${r.method.slice(1).toLowerCase()}.new(uri)
${r.headers.map((x) => `request[${ruby(x.name)}] = ${ruby(x.value)}\n`).join('')}${r.body ? `request.body = ${ruby(r.body)}\n` : ''}response = Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == "https") { |http| http.request(request) }
puts response.code, response.body`,
  },
]

/** Puts address, path and query together. */
export function address(base: string, path: string, query: { name: string; value: string }[]): string {
  const text = query.map((p) => `${encodeURIComponent(p.name)}=${encodeURIComponent(p.value)}`).join('&')
  return `${base.replace(/\/+$/, '')}${path}${text === '' ? '' : `?${text}`}`
}
