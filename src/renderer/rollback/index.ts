export { default as EmergencyRollback } from './EmergencyRollback.svelte'
