/** Something said in passing: to know, not to act on. */
export interface Announcement {
  id: number
  title: string
  text: string
}

const shownMs = 8000
const mostShown = 3

/** What is being said in passing; each goes by itself. */
export class Announcements {
  #shown = $state.raw<readonly Announcement[]>([])
  #lastId = 0

  /** Oldest first. */
  get shown(): readonly Announcement[] {
    return this.#shown
  }

  say(title: string, text: string): void {
    const id = (this.#lastId += 1)
    this.#shown = [...this.#shown, { id, title, text }].slice(-mostShown)
    setTimeout(() => this.dismiss(id), shownMs)
  }

  dismiss(id: number): void {
    this.#shown = this.#shown.filter((announcement) => announcement.id !== id)
  }
}
