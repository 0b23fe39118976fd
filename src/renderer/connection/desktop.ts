import { desktopApiName, type DesktopApi } from '../../contract/index.ts'

/** What the desktop shell offers this page; undefined in a browser. */
export const desktopApi = (): DesktopApi | undefined =>
  (window as Window & { [desktopApiName]?: DesktopApi })[desktopApiName]
