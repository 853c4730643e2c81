/** A document as large companies have them: 26 things, each with the same 20 operations. */
const THINGS = ['Account', 'Agreement', 'Article', 'Basket', 'Carrier', 'Contract', 'Coupon', 'Customer', 'Depot', 'Device', 'Discount', 'Employee', 'Invoice', 'Ledger', 'Location', 'Order', 'Package', 'Payment', 'Price', 'Receipt', 'Refund', 'Return', 'Route', 'Shipment', 'Supplier', 'Warehouse']
const PARTS = ['notes', 'documents', 'events', 'labels']

/** An OpenAPI document of 520 operations, as JSON. server is where they are answered. */
export function large(server) {
  const paths = {}
  const id = { name: 'id', in: 'path', required: true, schema: { type: 'string' } }
  for (const thing of THINGS) {
    const add = (method, path, verb, what, parameters = []) => {
      ;(paths[path] ??= {})[method] = { operationId: `${verb}${what.replace(/\W(\w)/g, (_, c) => c.toUpperCase())}`, summary: `${verb[0].toUpperCase()}${verb.slice(1)} ${what.toLowerCase()}`, tags: [thing], parameters, responses: { 200: { description: 'As asked.' } } }
    }
    const all = `/${thing.toLowerCase()}s`
    const one = `${all}/{id}`
    add('get', all, 'list', `${thing}s`)
    add('post', all, 'create', thing)
    add('get', one, 'read', thing, [id])
    add('delete', one, 'delete', thing, [id])
    for (const part of PARTS) {
      add('get', `${one}/${part}`, 'list', `${thing} ${part}`, [id])
      add('put', `${one}/${part}`, 'replace', `${thing} ${part}`, [id])
      add('post', `${one}/${part}`, 'add', `${thing} ${part}`, [id])
      add('delete', `${one}/${part}`, 'clear', `${thing} ${part}`, [id])
    }
  }
  return JSON.stringify({ openapi: '3.0.3', info: { title: 'Backoffice', version: '4.2', description: 'What the shops of the group work with.' }, servers: [{ url: server }], paths })
}
