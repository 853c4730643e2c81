/**
 * Lint of texts: what is made of them once, when a page is set up, does not follow when somebody changes the language.
 * The fix makes it computed; where the script reads it, `.value` is to be added by hand.
 */
function callsT(node, keys) {
  if (!node || typeof node.type !== 'string' || /Function/.test(node.type)) return false
  if (node.type === 'CallExpression' && node.callee.type === 'Identifier' && node.callee.name === 't') return true
  return (keys[node.type] ?? []).some((key) => [node[key]].flat().some((child) => callsT(child, keys)))
}

const followLanguage = {
  meta: { type: 'problem', fixable: 'code', schema: [], messages: { once: 'This text is taken once and does not follow a change of the language: make it computed.' } },
  create(context) {
    const source = context.sourceCode
    return {
      'Program > VariableDeclaration > VariableDeclarator'(node) {
        if (!context.filename.endsWith('.vue') || !node.init || /^(use|computed$|watch)/.test(node.init.callee?.name ?? '') || !callsT(node.init, source.visitorKeys)) return
        context.report({
          node: node.init,
          messageId: 'once',
          *fix(fixer) {
            const type = node.id.typeAnnotation
            if (type) yield fixer.remove(type)
            const said = type ? `<${source.getText(type.typeAnnotation)}>` : ''
            const [open, close] = node.init.type === 'ObjectExpression' ? ['({', '})'] : []
            const text = source.getText(node.init)
            yield fixer.replaceText(node.init, `computed${said}(() => ${open ? open + text.slice(1, -1) + close : text})`)
            const vue = source.ast.body.find((s) => s.type === 'ImportDeclaration' && s.source.value === 'vue' && s.importKind !== 'type')
            if (!vue) yield fixer.insertTextBefore(source.ast.body[0], "import { computed } from 'vue'\n")
            else if (!vue.specifiers.some((s) => s.imported?.name === 'computed')) yield fixer.insertTextBefore(vue.specifiers[0], 'computed, ')
          },
        })
      },
    }
  },
}

export default { rules: { 'follow-language': followLanguage } }
