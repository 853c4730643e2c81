import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  { path: '/sign-in', name: 'sign-in', component: () => import('./pages/SignIn.vue') },
  { path: '/forgot', name: 'forgot', component: () => import('./pages/Forgot.vue') },
  { path: '/password', name: 'password', component: () => import('./pages/PasswordLink.vue') },
  { path: '/email', name: 'email', component: () => import('./pages/EmailLink.vue') },
  { path: '/invite', name: 'invite', component: () => import('./pages/Invite.vue') },
  {
    path: '/',
    component: () => import('./parts/Frame.vue'),
    children: [
      { path: '', name: 'home', component: () => import('./pages/Home.vue') },
      { path: 'apis', name: 'apis.list', component: () => import('./pages/apis/Catalogue.vue') },
      {
        path: 'apis/:api',
        component: () => import('./pages/apis/ApiFrame.vue'),
        children: [
          { path: '', name: 'apis.view', component: () => import('./pages/apis/Overview.vue') },
          { path: 'operations/:operation', name: 'apis.operation', component: () => import('./pages/apis/Operation.vue') },
          { path: 'subscribe', name: 'apis.subscribe', component: () => import('./pages/apis/Subscribe.vue'), meta: { open: false } },
        ],
      },
      { path: 'apps', name: 'apps.list', component: () => import('./pages/apps/Applications.vue'), meta: { open: false } },
      {
        path: 'apps/:application',
        component: () => import('./pages/apps/ApplicationFrame.vue'),
        meta: { open: false },
        children: [
          { path: '', name: 'apps.keys', component: () => import('./pages/apps/Keys.vue') },
          { path: 'subscriptions', name: 'apps.subscriptions', component: () => import('./pages/apps/Subscriptions.vue') },
          { path: 'usage', name: 'apps.usage', component: () => import('./pages/apps/Usage.vue') },
          { path: 'requests/:request?', name: 'apps.requests', component: () => import('./pages/apps/Requests.vue') },
        ],
      },
      { path: ':rest(.*)*', component: () => import('./pages/NotFound.vue') },
    ],
  },
]
