import { Notification } from 'electron'
import type { Worsening } from './watch-state.ts'

/** Held until they are gone: one that is collected never tells of its click. */
const open = new Set<Notification>()

/** Something to tell a person, and the screen that shows it. */
export interface News {
  title: string
  /** Stays until it is seen, where the system has that. */
  isUrgent: boolean
  text: string
  path: string
}

/** Tells a person through the system; a click opens the screen that shows it. */
export function tell({ title, isUrgent, text, path }: News, show: (path: string) => void): void {
  if (!Notification.isSupported()) return
  const notification = new Notification({ title, body: text, urgency: isUrgent ? 'critical' : 'normal' })
  open.add(notification)
  notification.on('click', () => {
    open.delete(notification)
    show(path)
  })
  notification.on('close', () => open.delete(notification))
  notification.on('failed', () => open.delete(notification))
  notification.show()
}

/** Tells that something got worse. */
export function notify({ severity, text, path }: Worsening, show: (path: string) => void): void {
  const isUrgent = severity === 'critical'
  tell({ title: isUrgent ? 'Pilothouse: critical' : 'Pilothouse: warning', isUrgent, text, path }, show)
}
