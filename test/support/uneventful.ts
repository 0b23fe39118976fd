/** The fields of a bin in which no client left, nothing was diverted, no instance failed and no response is told to have begun. */
export const uneventful = {
  begun: 0,
  begunLate: 0,
  abandoned: 0,
  diverted: 0,
  unserved: 0,
  crashes: 0,
  oomKills: 0,
  healthFailures: 0,
  ejections: 0,
}
