export { default as EmergencyRollback } from './EmergencyRollback.svelte'
export { default as WayBackButton } from './WayBackButton.svelte'
