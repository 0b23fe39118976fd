import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import net from 'node:net'

/** A real server on a free loopback port, with its data in a directory that goes with it. */
export interface DatabaseServer extends AsyncDisposable {
  readonly port: number
}

/**
 * PostgreSQL, with TLS, in which everybody on this machine may be `postgres`, without a password unless one is given,
 * and nobody `stranger`.
 */
export async function startPostgresql(
  program: string,
  { method = 'trust', password = '' } = {},
): Promise<DatabaseServer> {
  const bin = dirname(realpathSync(program))
  const directory = mkdtempSync(join(tmpdir(), 'pilothouse-postgresql-'))
  // It refuses to run as root; Debian's package brings a user for it.
  const user = process.getuid?.() === 0 ? userOf('postgres') : undefined
  if (user) chownSync(directory, user.uid, user.gid)
  const data = join(directory, 'data')
  const passwordFile = join(directory, 'password')
  writeFileSync(passwordFile, password, { mode: 0o644 })
  const secret = password ? [`--pwfile=${passwordFile}`] : []
  const init = ['-D', data, '-U', 'postgres', `--auth=${method}`, ...secret, '--no-sync']
  execFileSync(join(bin, 'initdb'), init, {
    ...user,
    cwd: directory,
    stdio: 'pipe',
  })
  const certificate = {
    ssl_cert_file: join(directory, 'server.pem'),
    ssl_key_file: join(directory, 'server.key'),
  }
  const subject = ['-subj', '/CN=localhost', '-days', '1', '-nodes']
  const files = ['-out', certificate.ssl_cert_file, '-keyout', certificate.ssl_key_file]
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', ...subject, ...files], {
    ...user,
    stdio: 'pipe',
  })
  chmodSync(certificate.ssl_key_file, 0o600)
  const port = await freePort()
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: directory,
    fsync: 'off',
    ssl: 'on',
    ...certificate,
  }
  const options = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])
  const child = spawn(join(bin, 'postgres'), ['-D', data, ...options], {
    ...user,
    cwd: directory,
    stdio: 'pipe',
  })
  return started(child, port, directory, 'ready to accept connections', 'SIGINT')
}

export async function startRedis(program: string, extra: readonly string[] = []): Promise<DatabaseServer> {
  const directory = mkdtempSync(join(tmpdir(), 'pilothouse-redis-'))
  const port = await freePort()
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', '', ...extra]
  const child = spawn(program, options, { cwd: directory, stdio: 'pipe' })
  return started(child, port, directory, 'Ready to accept connections', 'SIGTERM')
}

async function started(
  child: ChildProcess,
  port: number,
  directory: string,
  readyText: string,
  stopSignal: NodeJS.Signals,
): Promise<DatabaseServer> {
  const ended = once(child, 'exit')
  let printed = ''
  const ready = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        printed += chunk.toString()
        if (printed.includes(readyText)) resolve()
      })
  })
  const first = await Promise.race([ready, ended.then(() => 'ended' as const)])
  if (first === 'ended') throw new Error(`the server ended at once:\n${printed}`)
  return {
    port,
    async [Symbol.asyncDispose]() {
      child.kill(stopSignal)
      await ended
      rmSync(directory, { recursive: true })
    },
  }
}

function userOf(name: string): { uid: number; gid: number } {
  const id = (flag: string) => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

/** A port of the loopback address that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
