import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface Temperature {
  sensor: string
  celsius: number
}

/**
 * Whether something can be that hot or cold. An input with nothing connected reads as one end of the chip's scale: -128,
 * 255, or the codes 0x7f and 0x80 with whatever fraction, 127 to 128, of which many drivers say no fault. Nothing real
 * is left out with these: silicon switches itself off at 125 °C at the latest.
 *
 * Source: LibreHardwareMonitor takes the same chips at their word from -55 to 125 °C alone. Hotter is kept here, for
 * probes that are made for it.
 */
const isPlausible = (celsius: number): boolean =>
  celsius > -55 && celsius < 200 && !(celsius >= 127 && celsius <= 128)
const maxSensorCount = 64

/**
 * Temperatures of /sys/class/hwmon, or of /sys/class/thermal where that has none. A driver may take milliseconds
 * to answer, so this is not for the hot path. Sensors of the same name are told apart by a number.
 */
export async function readTemperatures(sysRoot: string): Promise<Temperature[]> {
  const found = await readHwmon(join(sysRoot, 'class/hwmon'))
  const all = found.length > 0 ? found : await readThermalZones(join(sysRoot, 'class/thermal'))
  const seen = new Map<string, number>()
  return all.slice(0, maxSensorCount).map(({ sensor, celsius }) => {
    const count = (seen.get(sensor) ?? 0) + 1
    seen.set(sensor, count)
    return { sensor: count === 1 ? sensor : `${sensor} ${count}`, celsius }
  })
}

async function readHwmon(root: string): Promise<Temperature[]> {
  const found: Temperature[] = []
  for (const chip of await names(root)) {
    const folder = join(root, chip)
    const chipName = (await text(join(folder, 'name'))) || chip
    for (const file of await names(folder)) {
      const match = /^(temp\d+)_input$/.exec(file)
      if (!match) continue
      // The driver knows that nothing sensible is connected; the value then is whatever the chip reads.
      if ((await text(join(folder, `${match[1]}_fault`))) === '1') continue
      const label = (await text(join(folder, `${match[1]}_label`))) || match[1]!
      add(found, `${chipName} ${label}`, await text(join(folder, file)))
    }
  }
  return found
}

async function readThermalZones(root: string): Promise<Temperature[]> {
  const found: Temperature[] = []
  for (const zone of await names(root)) {
    if (!zone.startsWith('thermal_zone')) continue
    add(found, (await text(join(root, zone, 'type'))) || zone, await text(join(root, zone, 'temp')))
  }
  return found
}

function add(found: Temperature[], sensor: string, thousandths: string): void {
  const celsius = thousandths === '' ? NaN : Number(thousandths) / 1000
  if (isPlausible(celsius)) found.push({ sensor: sensor.slice(0, 200), celsius })
}

/** Sorted by number within the name, so that a sensor keeps its place. */
async function names(folder: string): Promise<string[]> {
  const found = await readdir(folder).catch(() => [])
  return found.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
}

const text = async (path: string): Promise<string> => (await readFile(path, 'utf8').catch(() => '')).trim()
