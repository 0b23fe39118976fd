import { subscribe } from 'node:diagnostics_channel'

/** Stands for `*` in a call of undici. No client can ask for it: of an absolute URL only the path is passed on. */
const placeholder = 'http://*'

/** The target of a request (RFC 9112 §3.2) as undici takes it, which refuses `*`: that of `OPTIONS *`. */
export const clientPath = (path: string): string => (path === '*' ? placeholder : path)

// Documented by undici: published for each request when it is made, before it is queued.
subscribe('undici:request:create', (message) => {
  const { request } = message as { request: { path: string } }
  if (request.path === placeholder) request.path = '*'
})
