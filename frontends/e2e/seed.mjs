/**
 * Fills a suite that was not set up yet with what a small company has: some APIs,
 * plans, applications and their keys, a request that waits, a draft, and traffic as
 * its consumers make it, for as many minutes as are asked for.
 */
import { readFileSync } from 'node:fs'
import { large } from './large.mjs'
import { call, CONSUMER, eventually, OWNER } from './suite.mjs'

/** A program that calls the services of a suite as somebody. */
const program = (api) => (token) => async (method, path, body, header = {}) => {
  const answer = await fetch(`${api}/api/${path}`, {
    method,
    headers: { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...(body ? { 'Content-Type': 'application/json' } : {}), ...header },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
  return text ? JSON.parse(text) : undefined
}

/** A document of a few operations: [method, path, summary, operation id]. */
const small = (title, description, tag, operations) => {
  const paths = {}
  for (const [method, path, summary, operationId] of operations) {
    const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string' } }))
    ;(paths[path] ??= {})[method] = { operationId, summary, tags: [tag], parameters, responses: { 200: { description: 'As asked.' } } }
  }
  return JSON.stringify({ openapi: '3.1.0', info: { title, version: '2.3', description }, paths })
}

/** Who calls what: method, path below the API, share of the calls. */
const CALLS = {
  petstore: [['GET', '/pet/1', 8], ['GET', '/pet/2', 5], ['GET', '/pet/findByStatus?status=available', 9], ['GET', '/pet/404', 1], ['GET', '/store/inventory', 3]],
  orders: [['GET', '/inventory', 9], ['POST', '/order', 4], ['GET', '/order/1', 6], ['GET', '/order/77', 1]],
  customers: [['GET', '/lena', 9], ['GET', '/logout', 2], ['GET', '/nobody', 1]],
  shipping: [['GET', '/findByTags?tags=lively', 5], ['GET', '/2', 7]],
}
const pick = (choices) => {
  let at = Math.random() * choices.reduce((sum, c) => sum + c.at(-1), 0)
  return choices.find((c) => (at -= c.at(-1)) < 0) ?? choices[0]
}

/** Returns the id of a request that a limit refused. */
export async function seed(readyFile, at, minutes) {
  const { api } = JSON.parse(readFileSync(readyFile, 'utf8'))
  const as = program(api)
  const anyone = as()
  const once = await anyone('POST', 'tenant-manager/v1/sign-in/one-time', { code: new URLSearchParams(new URL(at.signIn).hash.slice(1)).get('code') })
  await as(once.accessToken)('POST', 'tenant-manager/v1/setup', { organizationName: 'Acme', ...OWNER })
  const owner = as((await anyone('POST', 'tenant-manager/v1/sign-in', { email: OWNER.email, password: OWNER.password })).accessToken)
  const roles = (await owner('GET', 'tenant-manager/v1/roles?limit=200')).items
  const role = (name) => [{ role: roles.find((r) => r.name === name).id }]
  const invite = async (who, name, to) => {
    const invitation = await owner('POST', 'tenant-manager/v1/invitations', { email: who.email, to, roles: role(name) })
    return as((await anyone('POST', `tenant-manager/v1/invitations/by-token/${invitation.token}/accept`, { name: who.name, password: who.password })).accessToken)
  }
  const consumer = await invite(CONSUMER, 'consumer', 'portal')
  for (const [name, job] of [['Paul Moreau', 'publisher'], ['Aiko Tanaka', 'operator'], ['Lena Kim', 'administrator'], ['Tom Becker', 'viewer']]) {
    if (roles.some((r) => r.name === job)) await invite({ name, email: `${name.split(' ')[0].toLowerCase()}@example.com`, password: `a way over the hills of ${name}` }, job, 'console')
  }
  const project = await eventually('there is no project', async () => {
    const { items } = await owner('GET', 'gateway-manager/v1/projects')
    return { ok: items.length > 0, value: items[0]?.id }
  })
  const environment = (await owner('GET', 'gateway-manager/v1/environments')).items.find((e) => e.slug === 'dev')
  const shop = new URL('/api/v3', at.sample).href

  const deploy = async (made, message) => {
    const d = await owner('POST', `gateway-manager/v1/apis/${made.id}/deployments`, { environment: environment.id, message })
    return eventually(`${made.name} is not live`, async () => {
      const now = await owner('GET', `gateway-manager/v1/deployments/${d.id}`)
      return { ok: now.state === 'live', value: now.state }
    })
  }
  const plan = async (made, slug, name, limit, description, approval = 'automatic') => {
    const p = await owner('POST', `policy-manager/v1/apis/${made.id}/plans`, { slug, name, description, security: { type: 'api-key' }, approval, limits: { rateLimit: { limit, window: '1m' } } })
    return owner('POST', `policy-manager/v1/plans/${p.id}/publish`, undefined, { 'If-Match': `"${p.version}"` })
  }
  const put = async (slug, name, from, upstream) => (await owner('POST', 'gateway-manager/v1/apis/import', { project, slug, name, basePath: `/${slug}`, stripPath: true, ...from, ...(upstream ? { upstream: { targets: [{ url: upstream }] } } : {}) })).api

  const apis = {
    petstore: await put('petstore', 'Petstore', { url: at.sample }),
    orders: await put('orders', 'Orders', { document: small('Orders', 'Baskets become orders here, and stock is counted.', 'Orders', [['get', '/inventory', 'Count the stock', 'countStock'], ['post', '/order', 'Place an order', 'placeOrder'], ['get', '/order/{orderId}', 'Read an order', 'readOrder'], ['delete', '/order/{orderId}', 'Cancel an order', 'cancelOrder']]) }, `${shop}/store`),
    customers: await put('customers', 'Customers', { document: small('Customers', 'Who buys, and how to reach them.', 'Customers', [['get', '/{name}', 'Read a customer', 'readCustomer'], ['get', '/logout', 'End a visit', 'endVisit'], ['post', '/', 'Add a customer', 'addCustomer']]) }, `${shop}/user`),
    shipping: await put('shipping', 'Shipping', { document: small('Shipping', 'Parcels, routes and labels.', 'Parcels', [['get', '/findByTags', 'Find parcels', 'findParcels'], ['get', '/{parcel}', 'Read a parcel', 'readParcel']]) }, `${shop}/pet`),
  }
  await put('backoffice', 'Backoffice', { document: large('https://backoffice.example.com/v4') })
  const plans = {}
  for (const [slug, made] of Object.entries(apis)) {
    const own = { trial: await plan(made, 'bronze', 'Bronze', 30, 'For trying out and small programs.'), gold: await plan(made, 'gold', 'Gold', 6000, 'For production.') }
    plans[slug] = own
    if (slug === 'orders') own.partner = await plan(made, 'partner', 'Partner', 60000, 'For companies that we have a contract with.', 'manual')
    await deploy(made, 'First version')
    await owner('POST', `gateway-manager/v1/apis/${made.id}/publish`)
  }

  const subscribe = (to, application) =>
    eventually('nobody can subscribe', async () => {
      try {
        return { ok: true, value: await consumer('POST', 'devportal-backend/v1/subscriptions', { plan: to.id, ...application, createKey: true }) }
      } catch (error) {
        return { ok: false, value: error.message }
      }
    })
  const applications = []
  for (const [name, share, uses] of [['storefront-web', 9, ['petstore', 'orders', 'customers']], ['warehouse', 5, ['petstore', 'orders', 'shipping']], ['nightly-export', 2, ['customers', 'orders']]]) {
    const made = await subscribe(plans[uses[0]].gold, { newApplication: { name } })
    for (const slug of uses.slice(1)) await subscribe(plans[slug].gold, { application: made.application.id })
    applications.push({ key: made.credential.key, uses, share })
  }
  const trial = (await subscribe(plans.petstore.trial, { newApplication: { name: 'mobile-trial' } })).credential.key
  await subscribe(plans.orders.partner, { newApplication: { name: 'partner-feed' }, message: 'We ship for you in the north and want to read orders.' })
  for (const { key, uses } of applications) for (const slug of uses) await call(`${at.traffic}/${slug}${CALLS[slug][0][1]}`, key, 200)

  const send = async (path, key, method = 'GET') => {
    const body = method === 'POST' ? { body: JSON.stringify({ petId: 1, quantity: 1 + Math.floor(Math.random() * 4), status: 'placed' }) } : {}
    const answer = await fetch(`${at.traffic}/${path}`, { method, headers: { ...(key ? { 'X-API-Key': key } : {}), ...(body.body ? { 'Content-Type': 'application/json' } : {}) }, ...body })
    await answer.arrayBuffer()
    return { status: answer.status, id: answer.headers.get('x-request-id') }
  }
  let refused = ''
  const begun = performance.now()
  const end = begun + minutes * 60_000
  // More and less by the minute, as days have hours.
  for (let beat = 0; performance.now() < end || beat < 40; beat++) {
    const busy = 6 + 5 * Math.sin((performance.now() - begun) / 45_000) + 3 * Math.random()
    for (let i = 0; i < busy; i++) {
      const { key, uses } = pick(applications.map((a) => [a, a.share]))[0]
      const slug = uses[Math.floor(Math.random() * uses.length)]
      const [method, path] = pick(CALLS[slug])
      await send(slug + path, key, method)
    }
    if (beat % 2 === 0) {
      const answer = await send('petstore/pet/findByStatus?status=sold', trial)
      if (answer.status === 429) refused = answer.id
    }
    if (beat % 9 === 0) await send('petstore/store/inventory', '')
    if (performance.now() < end) await new Promise((then) => setTimeout(then, 500))
  }
  for (let i = 0; i < 80; i++) {
    const answer = await send('petstore/pet/findByStatus?status=sold', trial)
    if (answer.status === 429) refused = answer.id
  }
  await eventually('the calls are not counted', async () => {
    const report = await owner('GET', `analysis-manager/v1/usage?api=${apis.petstore.id}`)
    return { ok: report.total.requests >= 120, value: report.total.requests }
  })
  return { refused }
}
