import * as z from 'zod'
import { commandArtifactSchema, edgeServiceSchema, newReleaseSchema } from '../../contract/index.ts'
import type { PlatformForm } from './platform-form.ts'
import { contractValue, heldTo, sectionForm, type Words } from './written.ts'

const releaseContract = z.strictObject({
  command: commandArtifactSchema.shape.argv,
  env: commandArtifactSchema.shape.env,
  cwd: commandArtifactSchema.shape.cwd,
  parameters: newReleaseSchema.shape.parameters,
  note: newReleaseSchema.shape.note,
})

const releaseForm = heldTo(
  sectionForm(releaseContract, {
    command:
      'Command to run, without a shell; `{port}` in it and PORT in its environment are the port to listen on.',
    env: 'Environment of the command.',
    cwd: 'Directory in which the command runs; the directory of this file unless set.',
    parameters: 'Build information of this release, to compare releases.',
    note: 'Description of the release.',
  }),
  releaseContract,
)

const edgeWords: Words = {
  platform: 'Where instances run and what routes traffic to them; `edge` is the embedded platform.',
  target: 'Where instances run; `edge` is the embedded platform.',
  router: 'What splits the traffic; `edge` is the embedded proxy.',
  listen: 'Where requests to the service arrive.',
  host: 'Address to listen on.',
  port: 'Port to listen on; 0 takes a free one.',
  trustedProxies:
    'Addresses or ranges of the proxies in front that are trusted to report where a request came from.',
  routing: 'How requests are spread over releases and instances.',
  balancing: 'How an instance is chosen.',
  candidateHeader: 'Requests with this header go to the candidate.',
  candidateCookie: 'Requests with this cookie go to the candidate.',
  isSticky: 'Whether a client stays with the release it got first.',
  name: 'Name of the header or cookie.',
  value: 'Value of the header or cookie.',
  instanceWeights:
    'Weights of the instances of each release, in the order in which they start; 1 by default. `round_robin` ignores them.',
  health: 'How the health of an instance is checked.',
  path: 'Path of the health check.',
  intervalMs: 'Time between two health checks.',
  timeoutMs: 'Maximum wait for a response.',
  'health.host': 'Host header of the health check; null sends the address of the instance.',
  timeouts: 'How long the proxy waits.',
  connectMs: 'Maximum wait for a connection to an instance.',
  queueMs: 'Maximum wait for an instance whose connections are all in use; then 503.',
  responseMs: 'Maximum wait for the response headers; then 504.',
  idleMs: 'Maximum pause within a response, such as an event stream; null sets no limit.',
  webSocketIdleMs: 'How long a WebSocket may be idle; null sets no limit.',
  requestHeadersMs: 'Maximum time for a client to send the headers of a request.',
  requestMs: 'Maximum time for a client to send a whole request; null sets no limit.',
  clientIdleMs: 'How long a client connection may be idle between requests.',
  limits: 'Limits of the proxy for clients and instances.',
  maxBodyBytes: 'Maximum size of a request body; 413 above it.',
  maxHeaderBytes: 'Maximum size of the request line and headers; 431 above it.',
  maxHeaderCount: 'Maximum number of header fields of a request; 431 above it.',
  maxClientConnections: 'Maximum number of concurrent client connections of the service.',
  maxInstanceConnections: 'Maximum number of concurrent requests of one instance.',
  maxInstanceQueue: 'Maximum number of requests that wait for one instance; 503 above it.',
  maxAttempts: 'Maximum number of attempts of a request that may be retried, including the first.',
  rise: 'Consecutive successes that make an instance healthy.',
  fall: 'Consecutive failures that make it unhealthy.',
  restartAfterMs:
    'How long an instance may be unhealthy before it is restarted, and five times as long while it starts; null never restarts it.',
  drainMs: 'Maximum wait for requests in flight before an instance is stopped.',
  graceMs: 'Time from SIGTERM to SIGKILL.',
  memoryLimitBytes: 'Maximum memory of an instance; above it, the instance is restarted.',
  user: 'User that instances, checks and hooks run as, by name or number; only when Pilothouse runs as root. A change takes effect when each of them starts next.',
  group: "Group that they run with; the user's own unless set.",
}

/** How a config describes services of the embedded platform. Its releases are commands. */
export const edgeForm: PlatformForm = {
  name: 'edge',
  settings: edgeServiceSchema.omit({ name: true, workingDirectory: true }),
  words: edgeWords,
  releases: {
    form: releaseForm,
    read(written) {
      const { command, env, cwd, ...rest } = releaseContract.parse(contractValue(releaseContract, written))
      const artifact = { kind: 'command' as const, argv: command, env, ...(cwd === undefined ? {} : { cwd }) }
      return { artifact, ...rest }
    },
  },
}
