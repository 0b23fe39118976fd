import { nodeAt, without, type Section } from './tree.ts'

/** What a part of a plan stands for: who writes it anew does not keep these of what is below it. */
const replaced: Readonly<Record<string, readonly string[]>> = {
  preset: ['steps', 'weight', 'hold', 'startAtOnce', 'keepStableWarm', 'maxTime', 'resources'],
  steps: ['weight', 'hold'],
  weight: ['steps'],
  hold: ['steps'],
}

/** `base` without the parts of plans that `over`, which is laid upon it, says in another way. */
export function withoutReplacedPlans(base: Section, over: Section): Section {
  const services = nodeAt(over, ['services'])
  const names = services?.kind === 'section' ? [...services.entries.keys()] : []
  const places = [['deploy'], ...names.map((name) => ['services', name, 'deploy'])]
  return places.reduce((kept, place) => {
    const plan = nodeAt(over, place)
    const keys = plan?.kind === 'section' ? [...plan.entries.keys()] : []
    const gone = keys.flatMap((key) => (Object.hasOwn(replaced, key) ? (replaced[key] ?? []) : []))
    return gone.reduce((rest, key) => without(rest, [...place, key]), kept)
  }, base)
}
