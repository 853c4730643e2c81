/* Runs before the first paint, so that nobody sees a flash of the other theme. */
;(function () {
  var html = document.documentElement
  var saved = {}
  try {
    saved = JSON.parse(localStorage.getItem('gatehouse.preferences') || '{}') || {}
  } catch {
    saved = {}
  }
  var dark = saved.theme === 'dark' || (saved.theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  html.dataset.theme = dark ? 'dark' : 'light'
  html.classList.add(dark ? 'dark' : 'light')
  if (saved.contrast === 'more' || (!saved.contrast && matchMedia('(prefers-contrast: more)').matches)) html.dataset.contrast = 'more'
  if (saved.density === 'compact') html.dataset.density = 'compact'
})()
