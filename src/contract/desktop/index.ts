/** The engine's process as the desktop shell sees it. */
export type EngineProcessState =
  /** `reason` is why it ended last; empty at the first start. */
  | { kind: 'starting'; restartCount: number; reason: string }
  | { kind: 'running'; restartCount: number }
  /** It died, or could not start for `reason`; it is started again at `retryAtMs`, UTC epoch. */
  | { kind: 'waiting'; restartCount: number; retryAtMs: number; reason: string }
  | { kind: 'stopped'; restartCount: number }

/** What the preload gives the page as `window.pilothouse`, and all it gives. */
export interface DesktopApi {
  /**
   * Asks for new ports to the engine. They come as a `message` event of the window, from itself, with the data
   * `{ kind: enginePortsMessage, request }` and the ports [live, calls]; `request` is the number this resolves to.
   * Rejects with a sentence for a person while there is no engine.
   */
  connectEngine(): Promise<number>
  /** Calls `listener` at each change of the engine's process; the result stops it. */
  onEngineState(listener: (state: EngineProcessState) => void): () => void
  /** Calls `listener` with the address of a screen someone chose outside the page; the result stops it. */
  onNavigate(listener: (path: string) => void): () => void
}

export const desktopApiName = 'pilothouse'
export const enginePortsMessage = 'pilothouse-engine-ports'

/** Channels between the preload and the shell. The page never sees them. */
export const desktopChannels = {
  connectEngine: 'engine.connect',
  enginePorts: 'engine.ports',
  engineState: 'engine.state',
  navigate: 'view.navigate',
} as const

/** The shell's answer to `connectEngine`. */
export type ConnectAnswer = { ok: true; request: number } | { ok: false; reason: string }
