export default { app: { name: 'Admin console' } }
