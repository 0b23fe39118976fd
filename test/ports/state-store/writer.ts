import { openStateStore } from '../../../src/adapters/stores/state/index.ts'
import { systemClock } from '../../../src/adapters/system/index.ts'

// Appends notices n1, n2, ... without end and writes each id when it is kept: for a parent that ends it anywhere.
const [, , file = '', from = '1'] = process.argv
const opened = await openStateStore({ file, clock: systemClock() })
if (!opened.ok) {
  process.stdout.write(`${opened.error.code}\n`)
  process.exit(1)
}
process.stdout.write('open\n')
for (let number = Number(from); ; number++) {
  const notice = {
    id: `n${number}`,
    atMs: number,
    severity: 'info' as const,
    text: 'x'.repeat(200),
    link: '/',
  }
  const kept = await opened.value.append(notice)
  const { isWritable } = opened.value.status()
  process.stdout.write(`${kept.ok ? notice.id : kept.error.code} ${isWritable}\n`)
  // Lets the pipe drain, and the parent have its say.
  await new Promise((resolve) => setImmediate(resolve))
}
