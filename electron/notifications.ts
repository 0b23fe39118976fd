import { Notification } from 'electron'
import type { Worsening } from './watch-state.ts'

/** Held until they are gone: one that is collected never tells of its click. */
const open = new Set<Notification>()

/** Tells a person through the system that something got worse; a click opens the screen that shows it. */
export function notify({ severity, text, path }: Worsening, show: (path: string) => void): void {
  if (!Notification.isSupported()) return
  const notification = new Notification({
    title: severity === 'critical' ? 'Pilothouse: critical' : 'Pilothouse: warning',
    body: text,
    urgency: severity === 'critical' ? 'critical' : 'normal',
  })
  open.add(notification)
  notification.on('click', () => {
    open.delete(notification)
    show(path)
  })
  notification.on('close', () => open.delete(notification))
  notification.on('failed', () => open.delete(notification))
  notification.show()
}
