import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readTemperatures } from '../../../../src/adapters/metrics/linux/temperatures.ts'

let root: string
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'sys-'))))
afterEach(() => rmSync(root, { recursive: true }))

function put(files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
}

describe('temperatures', () => {
  it('come from hwmon, named by chip and label, the same name numbered', async () => {
    put({
      'class/hwmon/hwmon0/name': 'coretemp\n',
      'class/hwmon/hwmon0/temp1_input': '45000\n',
      'class/hwmon/hwmon0/temp1_label': 'Package id 0\n',
      'class/hwmon/hwmon0/temp2_input': '43500\n',
      'class/hwmon/hwmon1/name': 'nvme\n',
      'class/hwmon/hwmon1/temp1_input': '-5000\n',
      'class/hwmon/hwmon2/name': 'nvme\n',
      'class/hwmon/hwmon2/temp1_input': '38000\n',
      'class/thermal/thermal_zone0/temp': '45000\n',
    })
    expect(await readTemperatures(root)).toEqual([
      { sensor: 'coretemp Package id 0', celsius: 45 },
      { sensor: 'coretemp temp2', celsius: 43.5 },
      { sensor: 'nvme temp1', celsius: -5 },
      { sensor: 'nvme temp1 2', celsius: 38 },
    ])
  })

  it('leave out an input that its driver calls faulty', async () => {
    put({
      'class/hwmon/hwmon0/name': 'nct6798\n',
      'class/hwmon/hwmon0/temp1_input': '127000\n',
      'class/hwmon/hwmon0/temp1_fault': '1\n',
      'class/hwmon/hwmon0/temp2_input': '41000\n',
      'class/hwmon/hwmon0/temp2_fault': '0\n',
    })
    expect(await readTemperatures(root)).toEqual([{ sensor: 'nct6798 temp2', celsius: 41 }])
  })

  it.each([127_000, 127_500, 127_875, 128_000, 255_000, -128_000, -127_000, -61_000])(
    'leave out %d, which stands for nothing connected where the driver tells no fault',
    async (thousandths) => {
      put({
        'class/hwmon/hwmon0/temp1_input': `${thousandths}\n`,
        'class/thermal/thermal_zone0/temp': `${thousandths}\n`,
      })
      expect(await readTemperatures(root)).toEqual([])
    },
  )

  it('keep what is alarmingly hot', async () => {
    put({
      'class/hwmon/hwmon0/name': 'k10temp\n',
      'class/hwmon/hwmon0/temp1_input': '105125\n',
      'class/hwmon/hwmon0/temp2_input': '126500\n',
      'class/hwmon/hwmon0/temp3_input': '150000\n',
    })
    expect((await readTemperatures(root)).map(({ celsius }) => celsius)).toEqual([105.125, 126.5, 150])
  })

  it('come from the thermal zones where there is no hwmon', async () => {
    put({
      'class/thermal/thermal_zone0/temp': '51000\n',
      'class/thermal/thermal_zone0/type': 'x86_pkg_temp\n',
    })
    expect(await readTemperatures(root)).toEqual([{ sensor: 'x86_pkg_temp', celsius: 51 }])
  })

  it('leave out sensors that say nothing or nonsense, and are none where there are no sensors', async () => {
    put({
      'class/hwmon/hwmon0/temp1_input': '',
      'class/hwmon/hwmon0/temp2_input': 'N/A\n',
      'class/hwmon/hwmon0/temp3_input': '-274000\n',
      'class/hwmon/hwmon0/temp4_input': '255000\n',
    })
    expect(await readTemperatures(root)).toEqual([])
    expect(await readTemperatures(join(root, 'absent'))).toEqual([])
  })
})
