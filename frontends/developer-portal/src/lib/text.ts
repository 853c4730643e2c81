/** An operation as Markdown, to paste into an issue, a chat or an assistant. */
import { whole, type Entry, type OperationPage, type SchemaNode } from './portal'
import { address, languages } from './samples'

function line(node: SchemaNode, name: string, depth: number): string {
  const type = node.types?.join('|') ?? node.ref ?? 'any'
  const facts = [type, node.format, node.required ? 'required' : '', ...(node.constraints ?? [])].filter(Boolean).join(', ')
  const said = node.description ? `: ${node.description.split('\n')[0]}` : ''
  return `${'  '.repeat(depth)}- \`${name}\` (${facts})${said}`
}

function tree(node: SchemaNode, depth: number, out: string[]) {
  if (depth > 5) return
  for (const p of node.properties ?? []) {
    out.push(line(p, p.name ?? '', depth))
    tree(p.items ?? p, depth + 1, out)
  }
}

export function operationMarkdown(entry: Entry, op: OperationPage): string {
  const url = entry.endpoints[0]?.url ?? ''
  const out = [`# ${op.summary}`, '', `\`${op.method} ${url}${op.path}\` (${entry.name} ${entry.apiVersion})`, '']
  if (op.description) out.push(op.description, '')
  out.push(`Authentication: ${entry.authentication}`, '')
  if (op.parameters.length) {
    out.push('## Parameters', '', ...op.parameters.map((p) => line({ ...p.schema, required: p.required, description: p.description }, `${p.name} in ${p.in}`, 0)), '')
  }
  const content = op.requestBody?.contents[0]
  if (content) {
    out.push(`## Body (${content.mediaType})`, '')
    const schema = whole(op, content.schema)
    if (schema) tree(schema.items ?? schema, 0, out)
    out.push('')
  }
  out.push('## Answers', '')
  for (const r of op.responses) {
    out.push(`- ${r.status}: ${r.description.split('\n')[0] ?? ''}`)
    const schema = whole(op, r.contents[0]?.schema)
    if (schema && r.status.startsWith('2')) tree(schema.items ?? schema, 1, out)
  }
  const headers = [...op.sample.headers]
  if (op.sample.mediaType) headers.push({ name: 'Content-Type', value: op.sample.mediaType })
  const curl = languages[0]!.code({ method: op.method, url: address(url, op.sample.path, op.sample.query), headers, ...(op.sample.body ? { body: op.sample.body } : {}) })
  out.push('', '## Example', '', '```sh', curl, '```', '')
  return out.join('\n')
}
