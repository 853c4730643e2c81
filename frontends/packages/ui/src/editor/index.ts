export { default as GhCodeEditor } from './GhCodeEditor.vue'
