import { Argument, Option, type Command } from 'commander'
import { presets, type PlanOptions } from '../../../contract/index.ts'
import type { CommandSurroundings } from '../config-commands.ts'
import type { Person } from '../person.ts'
import { requestOf, withPlaceOptions, type SettingValues } from '../setting-options.ts'
import type { System } from '../../../adapters/config/index.ts'
import type { AppError } from '../../../engine/core/index.ts'
import { exportAudit, listAudit, verifyAudit, type AuditFilter } from './audit.ts'
import { declareService, removeService, showDeclaration } from './declare.ts'
import { deploy, showDeployment, validate } from './deploy.ts'
import { countArgument, durationArgument, pairArgument, planOptionsSet, stepsArgument } from './parse.ts'
import { showLogs } from './logs.ts'
import { rollback } from './rollback.ts'
import { addRelease, compareReleases, listReleases, resumeService, showServices } from './services.ts'
import { withEngine, type Session, type SessionRequest } from './session.ts'
import { listDeployments, orders, retry, steer, undo, type DeploymentFilter, type Order } from './steer.ts'

export interface OperationSurroundings extends CommandSurroundings {
  system: System
  person: Person
}

type Values = SettingValues & { json?: boolean }
interface Reasons {
  why: string
  yes?: boolean
  supersede?: boolean
}

/** Adds every command that talks to a running engine; `done` gets the exit code of the one that ran. */
export function registerOperations(
  program: Command,
  surroundings: OperationSurroundings,
  done: (code: number) => void,
): void {
  const run = async (
    values: Values,
    command: (session: Session) => Promise<number>,
    withoutEngine?: (request: SessionRequest, why: AppError) => Promise<number | null>,
  ) => {
    const { system, out, err, person } = surroundings
    const config = requestOf(values, system)
    const request = { config, out, err, person, isJson: values.json ?? false }
    done(await withEngine(request, command, withoutEngine))
  }
  const add = (parent: Command, name: string, description: string) =>
    withPlaceOptions(parent.command(name)).description(description).option('--json', 'write JSON')
  const dangerous = (command: Command) =>
    command
      .option('--why <text>', 'why, for the audit log', '')
      .option('-y, --yes', 'do not ask, also in production')
  /** What begins a deployment. */
  const superseding = (command: Command) =>
    dangerous(command).option(
      '--supersede',
      'take the place of the deployment under way, which is taken back',
    )
  const confirmed = ({ why, yes = false }: Reasons) => ({ why, isConfirmed: yes })
  const begun = (values: Reasons & { watch?: boolean }) => ({
    ...confirmed(values),
    isWatched: values.watch ?? false,
    isSuperseding: values.supersede ?? false,
  })

  interface DeployValues extends Values, Reasons {
    strategy?: PlanOptions['preset']
    set?: Record<string, string>
    steps?: PlanOptions['steps']
    maxTime?: number
    watch?: boolean
    dryRun?: boolean
    interactive?: boolean
  }
  superseding(add(program, 'deploy', 'ship a release through a judged canary'))
    .argument('[service]')
    .argument('[release]')
    .addOption(new Option('--strategy <preset>', 'steps, concurrency and limits').choices(presets))
    .option('--steps <list>', 'weight:hold of each step, such as 5:1m,25:2m,50:5m:gate', stepsArgument)
    .option('--max-time <duration>', 'longest the whole may take', durationArgument)
    .option(
      '--set <KEY=VALUE>',
      'what stands under deploy: in the config, for this one: limits.maxErrorRatio=2%, instances=3',
      pairArgument,
    )
    .option('-w, --watch', 'follow it to its end; the exit code is how it ended')
    .option('--dry-run', 'print the plan and the results of the checks; nothing moves')
    .option('-i, --interactive', 'ask for what is left out')
    .action((service: string | undefined, releaseId: string | undefined, values: DeployValues) =>
      run(values, (session) =>
        deploy(
          {
            service,
            releaseId,
            options: {
              ...planOptionsSet(values.set ?? {}),
              ...(values.strategy ? { preset: values.strategy } : {}),
              ...(values.steps ? { steps: values.steps } : {}),
              ...(values.maxTime === undefined ? {} : { maxTimeMs: values.maxTime }),
            },
            isWatched: values.watch ?? false,
            isDryRun: values.dryRun ?? false,
            isInteractive: values.interactive ?? false,
            isSuperseding: values.supersede ?? false,
            ...confirmed(values),
          },
          session,
        ),
      ),
    )
  add(program, 'validate', 'run the checks of a release; nothing moves')
    .argument('<service>')
    .argument('<release>')
    .action((service: string, releaseId: string, values: Values) =>
      run(values, (session) => validate(service, releaseId, session)),
    )

  const deployments = program.command('deployments').description('list, follow and steer deployments')
  add(deployments, 'list', 'newest first')
    .option('--service <name>', 'only of this service')
    .option('--text <words>', 'only those that mention this')
    .option('--limit <count>', 'how many', countArgument(500), 20)
    .action((values: Values & DeploymentFilter) =>
      run(values, (session) => {
        const { service, text, limit } = values
        return listDeployments({ limit, ...(service ? { service } : {}), ...(text ? { text } : {}) }, session)
      }),
    )
  add(deployments, 'show', 'one with its plan, judgement and log')
    .argument('<id>')
    .option('-w, --watch', 'follow it to its end; the exit code is how it ended')
    .action((id: string, values: Values & { watch?: boolean }) =>
      run(values, (session) => showDeployment(id, values.watch ?? false, session)),
    )
  for (const [order, effect] of Object.entries(orders))
    dangerous(add(deployments, order, `the candidate ${effect}`))
      .argument('<id>')
      .action((id: string, values: Values & Reasons) =>
        run(values, (session) => steer(order as Order, id, confirmed(values), session)),
      )
  superseding(add(deployments, 'retry', 'deploy the same again'))
    .argument('<id>')
    .option('-w, --watch', 'follow it to its end')
    .action((id: string, values: Values & Reasons & { watch?: boolean }) =>
      run(values, (session) => retry(id, begun(values), session)),
    )
  superseding(add(deployments, 'undo', 'back to a release of the history; the one before when none is named'))
    .argument('<service>')
    .argument('[release]')
    .option('-w, --watch', 'follow it to its end')
    .action(
      (service: string, releaseId: string | undefined, values: Values & Reasons & { watch?: boolean }) =>
        run(values, (session) => undo(service, releaseId, begun(values), session)),
    )

  dangerous(add(program, 'rollback', 'emergency: all traffic to the stable release, at once'))
    .argument('[service]')
    .option('--all', 'every service with a candidate')
    .action((service: string | undefined, values: Values & Reasons & { all?: boolean }, command: Command) => {
      if ((service !== undefined) === (values.all ?? false))
        command.error('error: name one service, or say --all')
      return run(
        values,
        (session) => rollback({ service, ...confirmed(values) }, session),
        async (request, why) => (await import('./rollback-at-edge.ts')).rollbackAtEdge(service, request, why),
      )
    })
  add(program, 'resume', 'let automation go on after an emergency rollback')
    .argument('<service>')
    .option('--why <text>', 'why, for the audit log', '')
    .action((service: string, values: Values & Reasons) =>
      run(values, (session) => resumeService(service, values.why, session)),
    )

  dangerous(add(program, 'services', 'traffic, instances and figures; NAME declare FILE; NAME remove'))
    .argument('[name]')
    .addArgument(
      new Argument('[action]').choices(['show', 'declare', 'declaration', 'remove']).default('show'),
    )
    .argument('[file]', 'declare: what would stand under its name in a config; - is standard input')
    .action(
      (
        name: string | undefined,
        action: string,
        file: string | undefined,
        values: Values & Reasons,
        command: Command,
      ) => {
        if (name === undefined || action === 'show')
          return run(values, (session) => showServices(name, session))
        if (action === 'declaration') return run(values, (session) => showDeclaration(name, session))
        if (action === 'remove')
          return run(values, (session) => removeService(name, confirmed(values), session))
        if (file === undefined) return command.error('error: write: services NAME declare FILE')
        return run(values, (session) => declareService({ service: name, file, why: values.why }, session))
      },
    )
  add(program, 'logs', 'the newest lines that instances printed')
    .argument('<service>')
    .option('--release <id>', 'only of this release')
    .option('--lines <count>', 'how many', countArgument(2000), 100)
    .option('-f, --follow', 'go on with what is printed from now on')
    .action((service: string, values: Values & { release?: string; lines: number; follow?: boolean }) =>
      run(values, (session) => {
        const { release, lines, follow: isFollowed = false } = values
        const which = { service, ...(release ? { releaseId: release } : {}) }
        return showLogs({ which, lines, isFollowed }, session)
      }),
    )

  interface ReleaseValues extends Values {
    env?: Record<string, string>
    parameter?: Record<string, string>
    cwd?: string
    note: string
  }
  add(program, 'releases', 'list releases; add ID -- COMMAND...; compare FROM TO')
    .argument('<service>')
    .addArgument(new Argument('[action]').choices(['list', 'add', 'compare']).default('list'))
    .argument('[words...]')
    .option('--env <NAME=VALUE>', 'add: variable of its environment, any number of times', pairArgument)
    .option('--parameter <NAME=VALUE>', 'add: parameter kept with it, any number of times', pairArgument)
    .option('--cwd <path>', 'add: working directory')
    .option('--note <text>', 'add: what it is', '')
    .action((service: string, action: string, words: string[], values: ReleaseValues, command: Command) => {
      const [first = '', ...rest] = words
      if (action === 'add') {
        if (rest.length === 0) command.error('error: write: releases SERVICE add ID -- COMMAND...')
        const { env = {}, parameter: parameters = {}, cwd, note } = values
        return run(values, (session) =>
          addRelease({ service, id: first, argv: rest, env, cwd, parameters, note }, session),
        )
      }
      if (action === 'compare') {
        const [to = ''] = rest
        if (words.length !== 2) command.error('error: write: releases SERVICE compare FROM TO')
        return run(values, (session) => compareReleases({ service, from: first, to }, session))
      }
      if (words.length > 0) command.error('error: write: releases SERVICE list')
      return run(values, (session) => listReleases(service, session))
    })

  const audit = program.command('audit').description('who did what')
  add(audit, 'list', 'newest first')
    .option('--actor <name>', 'only by this one')
    .option('--target <name>', 'only to this')
    .option('--limit <count>', 'how many', countArgument(1000), 50)
    .action((values: Values & AuditFilter) =>
      run(values, (session) => {
        const { actor, target, limit } = values
        return listAudit({ limit, ...(actor ? { actor } : {}), ...(target ? { target } : {}) }, session)
      }),
    )
  add(audit, 'verify', 'whether the chain is whole').action((values: Values) => run(values, verifyAudit))
  add(audit, 'export', 'the whole log')
    .addOption(new Option('--format <format>', 'form').choices(['jsonl', 'csv']).default('jsonl'))
    .option('--out <file>', 'write it here; else to standard output')
    .action((values: Values & { format: 'jsonl' | 'csv'; out?: string }) =>
      run(values, (session) => exportAudit(values.format, values.out, session)),
    )
}
