// An OpenID Connect provider that nobody here wrote, for tests: oidc-provider,
// which is certified, with its own pages for signing in. The argument is JSON:
// clients as their metadata, and accounts by login, each with its claims. The
// first line of the output is where it is.
import { createServer } from 'node:http'
import Provider from 'oidc-provider'

const { clients, accounts } = JSON.parse(process.argv[2])
let handle = (req, res) => res.writeHead(503).end()
const server = createServer((req, res) => handle(req, res))
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`
  const provider = new Provider(issuer, {
    clients,
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'] },
    scopes: ['openid', 'email', 'profile', 'groups', 'orders:read', 'orders:write'],
    pkce: { required: () => true },
    features: {
      backchannelLogout: { enabled: true },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      // For an API by name tokens are signed; without one they are text that it alone knows.
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({ scope: 'orders:read orders:write', audience: resource, accessTokenFormat: 'jwt' }),
      },
    },
    // Its clients are on this machine, where its guard lets nothing go to.
    fetch: (url, { dispatcher, ...options }) => globalThis.fetch(url, options),
    findAccount: (_, id) => (accounts[id] ? { accountId: id, claims: () => ({ sub: id, ...accounts[id] }) } : undefined),
  })
  // A redirect address of a client that ends in /* allows each below it: Gatehouse's have
  // the id of the connection, which is made later.
  provider.Client.prototype.redirectUriAllowed = function (uri) {
    return this.redirectUris.some((r) => r === uri || (r.endsWith('/*') && uri.startsWith(r.slice(0, -1))))
  }
  // Its pages ask another host for a typeface; tests ask nobody.
  provider.use(async (ctx, next) => {
    await next()
    if (typeof ctx.body === 'string') ctx.body = ctx.body.replace(/@import url\([^)]*\);?/g, '')
  })
  const answer = provider.callback()
  handle = (req, res) => (req.url === '/favicon.ico' ? res.writeHead(204).end() : answer(req, res))
  process.stdout.write(issuer + '\n')
})
process.stdin.on('end', () => process.exit(0)).resume()
