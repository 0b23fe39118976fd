declare const __PILOTHOUSE_VERSION__: string | undefined

/** Of package.json, put in by the build; running from source it is a development version. */
export const version =
  typeof __PILOTHOUSE_VERSION__ === 'string' ? __PILOTHOUSE_VERSION__ : '0.0.0-development'
