/** The fields of a bin in which no client left, nothing was diverted and no instance failed. */
export const uneventful = {
  abandoned: 0,
  diverted: 0,
  unserved: 0,
  crashes: 0,
  oomKills: 0,
  healthFailures: 0,
  ejections: 0,
}
