import { addressOf, isInside, resolved, withQuery } from './address.ts'
import { viewOf, type View } from './views.ts'

/** What the router needs of a browser window. */
export type RouterWindow = Pick<Window, 'location' | 'history' | 'addEventListener' | 'removeEventListener'>

/**
 * The address as state: which view, and in its query the range, filter and mode of that view. A view is restored
 * from its address alone, and every step can be undone with Back.
 */
export class ViewRouter implements Disposable {
  #window: RouterWindow
  #href = $state('http://page/')
  #address = $derived(addressOf(this.#href))
  #view = $derived(viewOf(this.#address.path))
  #moved = () => this.#read()

  constructor(window: RouterWindow) {
    this.#window = window
    this.#read()
    window.addEventListener('popstate', this.#moved)
  }

  get view(): View {
    return this.#view
  }
  /** Read only: change it with `setQuery`. */
  get query(): URLSearchParams {
    return this.#address.query
  }
  /** The part of the view to show first. */
  get fragment(): string {
    return this.#address.fragment
  }
  /** The view stands still because the person said so; the engine goes on. */
  get isPaused(): boolean {
    return this.query.get('paused') === '1'
  }

  /** Shows another address of this page: path with optional query and fragment. */
  go(address: string): void {
    const href = resolved(address, this.#href)
    if (href === this.#href) return
    this.#window.history.pushState(null, '', href)
    this.#read()
  }

  /**
   * Changes entries of the query; null removes one. Replaces the present step of the history unless `isStep`: a
   * chosen range is a step, the letters of a filter are not.
   */
  setQuery(changes: Record<string, string | null>, options: { isStep?: boolean } = {}): void {
    const href = withQuery(this.#href, changes)
    if (href === this.#href) return
    if (options.isStep) this.#window.history.pushState(null, '', href)
    else this.#window.history.replaceState(null, '', href)
    this.#read()
  }

  /** Takes a click on a link that is a step inside this page; false for any other. */
  takeClick(event: MouseEvent): boolean {
    if (event.defaultPrevented || event.button !== 0) return false
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return false
    const anchor = event.target instanceof Element ? event.target.closest('a') : null
    if (!anchor || anchor.target || anchor.hasAttribute('download')) return false
    if (!isInside(anchor.href, this.#href)) return false
    event.preventDefault()
    this.go(anchor.href)
    return true
  }

  [Symbol.dispose](): void {
    this.#window.removeEventListener('popstate', this.#moved)
  }

  #read(): void {
    this.#href = this.#window.location.href
  }
}
