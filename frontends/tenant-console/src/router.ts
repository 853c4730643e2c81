import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  { path: '/sign-in', name: 'sign-in', component: () => import('./pages/SignIn.vue'), meta: { open: true } },
  { path: '/forgot', name: 'forgot', component: () => import('./pages/Forgot.vue'), meta: { open: true } },
  { path: '/invite', name: 'invite', component: () => import('./pages/Invite.vue'), meta: { open: true } },
  { path: '/password', name: 'password', component: () => import('./pages/PasswordLink.vue'), meta: { open: true } },
  {
    path: '/',
    component: () => import('./pages/Layout.vue'),
    children: [
      { path: '', name: 'start', component: () => import('./pages/Start.vue') },
      { path: 'users', name: 'users', component: () => import('./pages/users/List.vue'), meta: { permission: 'user:read' } },
      { path: 'users/:id', name: 'users.one', component: () => import('./pages/users/Detail.vue'), meta: { permission: 'user:read' } },
      { path: 'invitations', name: 'invitations', component: () => import('./pages/invitations/List.vue'), meta: { permission: 'invitation:read' } },
      { path: 'service-accounts', name: 'service-accounts', component: () => import('./pages/service-accounts/List.vue'), meta: { permission: 'service-account:read' } },
      { path: 'service-accounts/:id', name: 'service-accounts.one', component: () => import('./pages/service-accounts/Detail.vue'), meta: { permission: 'service-account:read' } },
      { path: 'roles', name: 'roles', component: () => import('./pages/roles/List.vue'), meta: { permission: 'role:read' } },
      { path: 'roles/new', name: 'roles.new', component: () => import('./pages/roles/Edit.vue'), meta: { permission: 'role:create' } },
      { path: 'roles/:id', name: 'roles.one', component: () => import('./pages/roles/Edit.vue'), meta: { permission: 'role:read' } },
      { path: 'grants', name: 'grants', component: () => import('./pages/grants/List.vue'), meta: { permission: 'role:read' } },
      { path: 'access', name: 'access', component: () => import('./pages/Explainer.vue'), meta: { permission: 'role:read' } },
      { path: 'audit', name: 'audit', component: () => import('./pages/audit/List.vue'), meta: { permission: 'audit:read' } },
      { path: 'audit/keeping', name: 'audit.keeping', component: () => import('./pages/audit/Keeping.vue'), meta: { permission: 'audit:read' } },
      { path: 'security', name: 'security', component: () => import('./pages/Security.vue'), meta: { permission: 'organization:read' } },
      { path: 'settings', name: 'settings', component: () => import('./pages/Settings.vue'), meta: { permission: 'organization:read' } },
      { path: 'me', name: 'me', component: () => import('./pages/Me.vue') },
      { path: ':rest(.*)*', component: () => import('./pages/NotFound.vue') },
    ],
  },
]
