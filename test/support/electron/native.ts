import { EventEmitter } from 'node:events'
import { app } from './app.ts'

/** What the app did to the system around it, in order, for tests. */
export const observed = {
  trays: [] as Tray[],
  notifications: [] as Notification[],
  openedOutside: [] as string[],
  windowsAskedFor: [] as { url: string; isAllowed: boolean }[],
  errorBoxes: [] as { title: string; content: string }[],
  messageBoxes: [] as MessageBox[],
}

/** A question on screen, until `answer` presses one of its buttons. */
export interface MessageBox {
  message: string
  detail: string
  buttons: readonly string[]
  answer: (button: number) => void
}

export class NativeImage {
  /** By scale factor. */
  readonly representations = new Map<number, string>()
  isTemplate = false

  addRepresentation({ scaleFactor = 1, dataURL }: { scaleFactor?: number; dataURL: string }): void {
    this.representations.set(scaleFactor, dataURL)
  }

  setTemplateImage(isTemplate: boolean): void {
    this.isTemplate = isTemplate
  }

  toDataURL({ scaleFactor = 1 } = {}): string {
    return this.representations.get(scaleFactor) ?? ''
  }

  isEmpty(): boolean {
    return this.representations.size === 0
  }

  /** From the header of the PNG. */
  getSize(scaleFactor = 1): { width: number; height: number } {
    const file = Buffer.from(this.toDataURL({ scaleFactor }).split(',')[1] ?? '', 'base64')
    return { width: file.readUInt32BE(16) / scaleFactor, height: file.readUInt32BE(20) / scaleFactor }
  }
}

export const nativeImage = {
  /** Electron gives an empty image for what it cannot read; an icon of ours that is one is a mistake. */
  createFromDataURL(dataURL: string): NativeImage {
    if (!dataURL.startsWith('data:image/png;base64,iVBOR')) throw new Error('not a PNG as a data URL')
    const image = new NativeImage()
    image.addRepresentation({ dataURL })
    return image
  },
}

interface MenuTemplate {
  label?: string
  role?: string
  type?: string
  accelerator?: string
  enabled?: boolean
  click?: () => void
  submenu?: MenuTemplate[] | Menu
}

export class MenuItem {
  readonly label: string
  readonly role: string | undefined
  readonly type: string
  readonly accelerator: string | undefined
  readonly enabled: boolean
  readonly submenu: Menu | undefined
  readonly click: () => void

  constructor(template: MenuTemplate) {
    this.label = template.label ?? template.role ?? ''
    this.role = template.role
    this.type = template.type ?? (template.submenu ? 'submenu' : 'normal')
    this.accelerator = template.accelerator
    this.enabled = template.enabled ?? true
    this.submenu = Array.isArray(template.submenu)
      ? Menu.buildFromTemplate(template.submenu)
      : template.submenu
    this.click = () => {
      if (this.role === 'quit') app.quit()
      else template.click?.()
    }
  }
}

let applicationMenu: Menu | null = null

export class Menu {
  items: MenuItem[] = []

  static buildFromTemplate(template: readonly MenuTemplate[]): Menu {
    const menu = new Menu()
    menu.items = template.map((item) => {
      if (!item.label && !item.role && item.type !== 'separator') {
        throw new TypeError('Invalid template for MenuItem: must have at least one of label, role or type')
      }
      return new MenuItem(item)
    })
    return menu
  }

  static setApplicationMenu(menu: Menu | null): void {
    applicationMenu = menu
  }

  static getApplicationMenu(): Menu | null {
    return applicationMenu
  }
}

export class Tray extends EventEmitter {
  image: NativeImage
  toolTip = ''
  menu: Menu | null = null

  constructor(image: NativeImage) {
    super()
    if (!app.isReady()) throw new Error('Cannot create Tray before app is ready')
    this.image = image
    observed.trays.push(this)
  }

  setImage(image: NativeImage): void {
    this.image = image
  }

  setToolTip(toolTip: string): void {
    this.toolTip = toolTip
  }

  setContextMenu(menu: Menu | null): void {
    this.menu = menu
  }
}

interface NotificationOptions {
  title?: string
  body?: string
  urgency?: string
  silent?: boolean
}

export class Notification extends EventEmitter {
  readonly title: string
  readonly body: string
  readonly urgency: string

  constructor({ title = '', body = '', urgency = 'normal' }: NotificationOptions) {
    super()
    this.title = title
    this.body = body
    this.urgency = urgency
  }

  static isSupported(): boolean {
    return true
  }

  show(): void {
    observed.notifications.push(this)
    this.emit('show', {})
  }
}

export const shell = {
  async openExternal(url: string): Promise<void> {
    observed.openedOutside.push(url)
  },
}

interface MessageBoxOptions {
  message: string
  detail?: string
  buttons?: readonly string[]
}

export const dialog = {
  showMessageBox({ message, detail = '', buttons = ['OK'] }: MessageBoxOptions) {
    return new Promise<{ response: number; checkboxChecked: boolean }>((resolve) => {
      const answer = (response: number) => resolve({ response, checkboxChecked: false })
      observed.messageBoxes.push({ message, detail, buttons, answer })
    })
  },

  showErrorBox(title: string, content: string): void {
    observed.errorBoxes.push({ title, content })
    process.stderr.write(`${title}\n${content}\n`)
  },
}

const workArea = { x: 0, y: 0, width: 1920, height: 1040 }
const display = { id: 1, bounds: { ...workArea, height: 1080 }, workArea, scaleFactor: 1 }

export const screen = {
  getPrimaryDisplay: () => display,
  getAllDisplays: () => [display],
}
