/** One clock for all relative times of a page. */
import { onBeforeUnmount, onMounted, readonly, ref, type Ref } from 'vue'

const now = ref(new Date())
let users = 0
let timer: ReturnType<typeof setInterval> | undefined

export function useNow(): Readonly<Ref<Date>> {
  onMounted(() => {
    if (users++ === 0) {
      now.value = new Date()
      timer = setInterval(() => (now.value = new Date()), 10_000)
    }
  })
  onBeforeUnmount(() => {
    if (--users === 0) clearInterval(timer)
  })
  return readonly(now) as Readonly<Ref<Date>>
}
