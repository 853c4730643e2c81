export default { app: { name: 'Developers' } }
