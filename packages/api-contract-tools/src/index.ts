export {
  permissions,
  type Clients,
  type Grant,
  type Permission,
  type PermissionTable,
  type PermittedClient,
} from './permissions.js'
