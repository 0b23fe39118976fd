import { setTimeout as wait } from 'node:timers/promises'

/** Where Node listens for a debugger that SIGUSR1 has asked for. */
const inspector = 'http://127.0.0.1:9229/json/list'

interface Answer {
  id: number
  result?: { result?: { value?: unknown } }
}

/**
 * What a Node process keeps alive, in MB: its heap and buffers after a full collection. Its resident memory says little of
 * that, as V8 gives memory back late. Only one process can be asked at a time.
 */
export async function liveMb(pid: number): Promise<number> {
  process.kill(pid, 'SIGUSR1')
  const socket = new WebSocket(await debuggerAddress())
  try {
    await new Promise((resolve, reject) => {
      socket.onopen = resolve
      socket.onerror = () => reject(new Error('the debugger took no connection'))
    })
    const ask = caller(socket)
    for (let i = 0; i < 2; i++) await ask('HeapProfiler.collectGarbage', {})
    const expression =
      'JSON.stringify((({ heapUsed, arrayBuffers }) => [process.pid, heapUsed + arrayBuffers])(process.memoryUsage()))'
    const { result } = await ask('Runtime.evaluate', { expression, returnByValue: true })
    const [asked, bytes] = JSON.parse(String(result?.result?.value)) as [number, number]
    if (asked !== pid) throw new Error(`process ${asked} answered instead of ${pid}`)
    const close = 'setTimeout(() => process.getBuiltinModule("node:inspector").close(), 100)'
    await ask('Runtime.evaluate', { expression: close })
    return bytes / 1e6
  } finally {
    socket.close()
    await wait(500)
  }
}

async function debuggerAddress(): Promise<string> {
  for (let i = 0; i < 100; i++) {
    try {
      const [target] = (await (await fetch(inspector)).json()) as { webSocketDebuggerUrl: string }[]
      if (target) return target.webSocketDebuggerUrl
    } catch {
      // It does not listen yet.
    }
    await wait(100)
  }
  throw new Error('no debugger listens')
}

function caller(socket: WebSocket) {
  let lastId = 0
  const waiting = new Map<number, (answer: Answer) => void>()
  socket.onmessage = ({ data }) => {
    const answer = JSON.parse(String(data)) as Answer
    waiting.get(answer.id)?.(answer)
    waiting.delete(answer.id)
  }
  return (method: string, params: object): Promise<Answer> =>
    new Promise((resolve) => {
      const id = ++lastId
      waiting.set(id, resolve)
      socket.send(JSON.stringify({ id, method, params }))
    })
}
