import { describe, expect, it } from 'vitest'
import { rollbackCommand } from '../../../../src/renderer/rollback/rollback-command.ts'

describe('the rollback as a command', () => {
  it('names the engine by its data directory', () => {
    expect(rollbackCommand('shop', '/var/lib/pilothouse')).toBe(
      'pilothouse rollback shop --data-dir /var/lib/pilothouse',
    )
    expect(rollbackCommand(null, '/var/lib/pilothouse')).toBe(
      'pilothouse rollback --all --data-dir /var/lib/pilothouse',
    )
  })

  it('quotes a directory that a shell would split', () => {
    expect(rollbackCommand('shop', "/home/me/it's here")).toBe(
      `pilothouse rollback shop --data-dir '/home/me/it'\\''s here'`,
    )
  })

  it('goes without where the engine did not tell its directory', () => {
    expect(rollbackCommand(null, undefined)).toBe('pilothouse rollback --all')
  })
})
