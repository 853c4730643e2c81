import vue from 'eslint-plugin-vue'
import ts from 'typescript-eslint'
import texts from './eslint-texts.js'

export default ts.config(
  { ignores: ['**/node_modules/**', 'dist/**', 'packages/api/src/gen/**'] },
  ...ts.configs.recommended,
  ...vue.configs['flat/recommended'],
  {
    files: ['**/*.{ts,vue}'],
    plugins: { texts },
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: ['.vue'] } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' }],
      'no-restricted-properties': ['error', { object: 'window', property: 'eval', message: 'The content security policy refuses it.' }],
      'no-eval': 'error',
      'no-new-func': 'error',
      'no-console': 'error',
      'vue/no-v-html': 'error',
      'vue/multi-word-component-names': 'off',
      'vue/max-attributes-per-line': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'vue/multiline-html-element-content-newline': 'off',
      'vue/html-self-closing': 'off',
      'vue/html-indent': 'off',
      'vue/html-closing-bracket-newline': 'off',
      'vue/first-attribute-linebreak': 'off',
      'vue/attributes-order': 'off',
      'vue/require-default-prop': 'off',
      'vue/no-bare-strings-in-template': [
        'error',
        {
          allowlist: ['·', '–', '/', '*', '→', '…', 'Ctrl K', '?', '×', '%', ',', ':', '(', ')', '.', '+', '•', '−'],
          attributes: { '/.+/': ['title', 'aria-label', 'aria-placeholder', 'aria-roledescription', 'aria-valuetext', 'alt', 'label', 'text', 'help', 'description', 'hint'], input: ['placeholder'] },
        },
      ],
      // Texts within expressions: {{ on ? 'On' : 'Off' }}, :label="…".
      'vue/no-restricted-syntax': [
        'error',
        ...['ConditionalExpression', 'LogicalExpression'].map((type) => ({ selector: `VElement > VExpressionContainer > ${type} > Literal[value=/\\p{Lu}\\p{Ll}+|\\p{L} \\p{L}/u]`, message: 'Texts are in src/locales.' })),
        { selector: 'VElement > VExpressionContainer > Literal[value=/\\p{L}{2}/u]', message: 'Texts are in src/locales.' },
        { selector: 'VElement > VExpressionContainer > TemplateLiteral > TemplateElement[value.raw=/\\p{L}{2}/u]', message: 'Texts are in src/locales.' },
      ],
      'texts/follow-language': 'error',
    },
  },
  { files: ['e2e/*.mjs', '**/generate.mjs'], languageOptions: { globals: { process: 'readonly', URL: 'readonly', fetch: 'readonly', setTimeout: 'readonly' } } },
  { files: ['packages/ui/src/theme-boot.js'], languageOptions: { globals: { document: 'readonly', localStorage: 'readonly', matchMedia: 'readonly' } } },
)
