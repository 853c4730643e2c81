/** Whether a text is a reference to a secret rather than the secret: env:NAME, file:PATH or vault:mount/path#field. */
export const isReference = (text: string) => /^(env|file|vault):/.test(text)
