import type { Attachment } from 'svelte/attachments'

/** Tells whether the element is in view or will be with a little scrolling; asked before anything is loaded for it. */
export function nearView(changed: (isNear: boolean) => void): Attachment<Element> {
  return (element) => {
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry) changed(entry.isIntersecting)
      },
      { rootMargin: '300px 0px' },
    )
    observer.observe(element)
    return () => observer.disconnect()
  }
}
