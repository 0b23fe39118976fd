declare const __PILOTHOUSE_VERSION__: string

/** Version of the bundle this page was built in; another one at the engine means that the page is to be reloaded. */
export const pageVersion = __PILOTHOUSE_VERSION__
