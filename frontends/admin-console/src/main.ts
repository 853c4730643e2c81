import '@gatehouse/ui/style.css'
import { startApp } from '@gatehouse/ui'
import en from './locales/en'
import { routes } from './router'

void startApp({ routes, texts: en, languages: { de: () => import('./locales/de'), ko: () => import('./locales/ko') } })
