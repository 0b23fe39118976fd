import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { judgeJson, judgeJunit, judgeSarif } from '../../../../src/engine/validation/index.ts'

const strict = { maxFailures: 0, minTests: 1 }

const junit = (body: string) =>
  `<?xml version="1.0"?>\n<testsuites><testsuite name="s" tests="99">${body}</testsuite></testsuites>`

describe('a JUnit report', () => {
  it('passes when its tests ran and none failed', () => {
    const report = junit(
      '<testcase name="a"/><testcase name="b"><system-out><![CDATA[<failure/>]]></system-out></testcase>',
    )
    expect(judgeJunit(report, strict)).toMatchObject({ isGood: true, text: '2 of 2 tests ran, 0 failed' })
  })

  it('names the tests that failed or broke, decoded and without control characters', () => {
    const report = junit(
      '<testcase classname="cart" name="adds &lt;2&gt; &#x1b;items"><failure message="no"/></testcase><testcase name="b"><error/></testcase>',
    )
    const verdict = judgeJunit(report, strict)
    expect(verdict.isGood).toBe(false)
    expect(verdict.output).toBe('failed: cart adds <2> items\nfailed: b')
    expect(judgeJunit(report, { maxFailures: 2, minTests: 1 }).isGood).toBe(true)
  })

  it('counts the test cases and not the sums that a suite states', () => {
    expect(judgeJunit(junit(''), strict).isGood).toBe(false)
    expect(judgeJunit(junit('<testcase name="a"><skipped/></testcase>'), strict).text).toContain(
      '0 of 1 tests ran',
    )
  })

  it('fails when a suite broke outside of its tests', () => {
    expect(judgeJunit(junit('<testcase name="a"/><error message="set-up"/>'), strict).isGood).toBe(false)
  })

  it.each([
    ['cut off', '<testsuite><testcase name="a"/>'],
    ['empty', ''],
    ['something else', '<html></html>'],
    ['no XML', '{"tests": 3}'],
    ['closed wrongly', '<testsuite><testcase></testsuite></testcase>'],
    ['two roots', '<testsuite></testsuite><testsuite></testsuite>'],
    ['nested without end', '<testsuite>'.repeat(200_000)],
    [
      'a bomb of entities',
      '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><testsuite name="&b;"><testcase name="a"/></testsuite>',
    ],
    [
      'a file of the machine',
      '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><testsuite><testcase name="&a;"/></testsuite>',
    ],
  ])('that is %s proves nothing', (_what, source) => {
    const verdict = judgeJunit(source, strict)
    expect(verdict.isGood).toBe(false)
    expect(verdict.text).toContain('cannot be read')
  })

  it('of any text is read without an exception', () => {
    const pieces = fc.constantFrom(
      '<testsuite>',
      '</testsuite>',
      '<testcase name="a"/>',
      '<',
      '>',
      '"',
      '<!--',
      ']]>',
      '&#99999999;',
      '&lt;',
      ' a="',
      "'",
      '<?',
    )
    fc.assert(
      fc.property(
        fc.array(fc.oneof(pieces, fc.string())),
        (parts) => void judgeJunit(parts.join(''), strict),
      ),
    )
  })
})

const sarifLimits = {
  maxErrors: 0,
  maxWarnings: null,
  maxNotes: null,
  maxCritical: 0,
  maxHigh: 0,
  maxMedium: null,
  maxLow: null,
}
const sarif = (results: unknown, more: object = {}, rules: unknown[] = []) =>
  JSON.stringify({
    version: '2.1.0',
    runs: [{ tool: { driver: { name: 'scanner', rules } }, results, ...more }],
  })

describe('a SARIF report', () => {
  it('passes without findings', () => {
    expect(judgeSarif(sarif([]), sarifLimits)).toMatchObject({ isGood: true, text: 'no findings' })
  })

  it('fails by level and by the security severity of the rule', () => {
    const rules = [{ id: 'sql', properties: { 'security-severity': '9.8' } }]
    const verdict = judgeSarif(
      sarif(
        [{ ruleId: 'sql', level: 'warning', message: { text: 'injection' } }, { level: 'error' }],
        {},
        rules,
      ),
      sarifLimits,
    )
    expect(verdict.text).toBe(
      'findings: 1 of kind "critical", at most 0 allowed; 1 of kind "error", at most 0 allowed',
    )
    expect(verdict.output).toContain('warning, critical: sql injection')
  })

  it('takes a finding without a level as its rule says, else as a warning', () => {
    const rules = [{ id: 'x', defaultConfiguration: { level: 'error' } }]
    expect(judgeSarif(sarif([{ ruleIndex: 0 }], {}, rules), sarifLimits).isGood).toBe(false)
    expect(judgeSarif(sarif([{}]), sarifLimits).isGood).toBe(true)
    expect(judgeSarif(sarif([{}]), { ...sarifLimits, maxWarnings: 0 }).isGood).toBe(false)
  })

  it('leaves out what is suppressed, no failure, or gone', () => {
    const results = [
      { level: 'error', suppressions: [{}] },
      { level: 'error', kind: 'pass' },
      { level: 'error', baselineState: 'absent' },
    ]
    expect(judgeSarif(sarif(results), sarifLimits).isGood).toBe(true)
    expect(
      judgeSarif(sarif([{ level: 'error', suppressions: [{ status: 'rejected' }] }]), sarifLimits).isGood,
    ).toBe(false)
  })

  it.each([
    ['of another version', JSON.stringify({ version: '1.0.0', runs: [] })],
    ['without a run', JSON.stringify({ version: '2.1.0', runs: [] })],
    ['of a tool that failed', sarif([], { invocations: [{ executionSuccessful: false }] })],
    ['without results', sarif(undefined)],
    ['cut off', sarif([]).slice(0, -5)],
    ['nested too deep', '['.repeat(100_000)],
  ])('%s proves nothing', (_what, source) => {
    expect(judgeSarif(source, sarifLimits).isGood).toBe(false)
  })
})

describe('a JSON report', () => {
  const coverage = JSON.stringify({ total: { lines: { pct: 81.5 } }, ok: true, 'a/b~c': 3 })

  it('is held against figures', () => {
    expect(
      judgeJson(coverage, [
        { pointer: '/total/lines/pct', min: 80 },
        { pointer: '/ok', equals: true },
        { pointer: '/a~1b~0c', max: 3 },
      ]).isGood,
    ).toBe(true)
    expect(judgeJson(coverage, [{ pointer: '/total/lines/pct', min: 90 }]).text).toBe(
      '/total/lines/pct is 81.5, less than 90',
    )
  })

  it('breaks a rule about what is missing, no number, or not its own', () => {
    for (const pointer of ['/total/branches', '/ok', '/constructor/length', '/__proto__', ''])
      expect(judgeJson(coverage, [{ pointer, max: 1e9 }]).isGood, pointer).toBe(false)
  })
})
