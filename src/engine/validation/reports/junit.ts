import { phraseText } from '../../../contract/index.ts'
import { readXml, XmlError } from './xml.ts'
import { unreadable, type ReportVerdict } from './verdict.ts'

export interface JunitLimits {
  /** Failed and broken tests that are let pass. */
  maxFailures: number
  /** A suite that ran fewer tests than this proves nothing. */
  minTests: number
}

const mostNamed = 20

/**
 * A JUnit XML report against its limits. Tests are counted from the test cases, never taken from the sums that a
 * suite states. A report that is not well-formed is no proof: failed.
 */
export function judgeJunit(source: string, limits: JunitLimits): ReportVerdict {
  const counted = countTests(source)
  if (typeof counted === 'string') return unreadable(counted)
  const { tests, skipped, broken } = counted
  const ran = tests - skipped
  const sums = `${ran} of ${tests} tests ran, ${broken.length} failed`
  const output = broken
    .slice(0, mostNamed)
    .map((name) => `failed: ${name}`)
    .concat(broken.length > mostNamed ? [`… and ${broken.length - mostNamed} more`] : [])
    .join('\n')
  if (ran < limits.minTests)
    return { isGood: false, text: `${sums}; at least ${limits.minTests} must run`, output }
  if (broken.length > limits.maxFailures)
    return { isGood: false, text: `${sums}; at most ${limits.maxFailures} may fail`, output }
  return { isGood: true, text: sums, output }
}

interface Tests {
  tests: number
  skipped: number
  /** Names of failed and broken ones. */
  broken: string[]
}

function countTests(source: string): Tests | string {
  const sum: Tests = { tests: 0, skipped: 0, broken: [] }
  let root = ''
  let test: { name: string; isBroken: boolean; isSkipped: boolean } | undefined
  /** A suite can break outside of any test, as in its set-up. */
  let suite = ''
  try {
    readXml(source, {
      open(name, attributes) {
        root ||= name
        if (name === 'testsuite') suite = attributes.get('name') ?? ''
        if (name === 'testcase') {
          const words = [attributes.get('classname'), attributes.get('name')].filter(Boolean)
          test = { name: phraseText(words.join(' ')), isBroken: false, isSkipped: false }
        }
        if (name === 'failure' || name === 'error') {
          if (test) test.isBroken = true
          else sum.broken.push(phraseText(`${suite} (outside of its tests)`))
        }
        if (name === 'skipped' && test) test.isSkipped = true
      },
      close(name) {
        if (name !== 'testcase' || !test) return
        sum.tests += 1
        if (test.isBroken) sum.broken.push(test.name)
        else if (test.isSkipped) sum.skipped += 1
        test = undefined
      },
    })
  } catch (thrown) {
    if (thrown instanceof XmlError) return thrown.message
    throw thrown
  }
  return root === 'testsuites' || root === 'testsuite' ? sum : 'its root element is not a test suite'
}
