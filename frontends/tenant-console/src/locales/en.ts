export default { app: { name: 'Tenant console' } }
