import { createLocalMetricSource, PortableSource } from '../../src/adapters/metrics/index.ts'
import { metricSourceSuite } from './metric-source.suite.ts'

const { platform } = process

metricSourceSuite(`the local source of ${platform}`, (clock) => createLocalMetricSource({ clock, platform }))
metricSourceSuite('the portable source', (clock) => new PortableSource({ clock, hostId: 'local', platform }))
