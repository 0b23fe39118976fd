import { parentPort, workerData } from 'node:worker_threads'
import { judgeReportBytes } from '../../engine/validation/index.ts'
import type { ReportWork } from './report-judging.ts'

/** The thread that judges one report: what a tool wrote must not hold up the engine, however it is made. */

if (!parentPort) throw new Error('this file judges a report in a thread of its own, it is not a program')
const { report, bytes } = workerData as ReportWork
parentPort.postMessage(judgeReportBytes(report, bytes))
