import { Argument, Option, type Command } from 'commander'
import { presets, type PlanOptions } from '../../../contract/index.ts'
import type { CommandSurroundings } from '../config-commands.ts'
import type { Person } from '../person.ts'
import {
  nextCommand,
  requestOf,
  withJsonOption,
  withPlaceOptions,
  type SettingValues,
} from '../setting-options.ts'
import { withExamples } from '../help/index.ts'
import type { System } from '../../../adapters/config/index.ts'
import { exportAudit, listAudit, verifyAudit, type AuditFilter } from './audit.ts'
import { declareService, removeService, showDeclaration } from './declare.ts'
import { deploy, showDeployment, validate } from './deploy.ts'
import { countArgument, durationArgument, pairArgument, planOptionsSet, stepsArgument } from './parse.ts'
import { showLogs } from './logs.ts'
import { openPage } from './open.ts'
import { rollback } from './rollback.ts'
import { listWaysBack } from './ways-back.ts'
import {
  addRelease,
  compareReleases,
  listReleases,
  resumeService,
  restartService,
  showServices,
} from './services.ts'
import { withEngine, type Session, type SessionRequest } from './session.ts'
import { listDeployments, retry, steer, undo, type DeploymentFilter, type Order } from './steer.ts'

export interface OperationSurroundings extends CommandSurroundings {
  system: System
  person: Person
}

type Values = SettingValues & { json?: boolean }

const serviceText = 'Name of the service'
const deploymentText = 'Deployment id, as in `pilothouse deployments list`'
const watchText = 'Follow it until it ends; the exit code reports the outcome'

/** Of each order: what it does, and an example with its effect. */
const orderHelp: Readonly<Record<Order, readonly [description: string, example: string, effect: string]>> = {
  pause: [
    'Hold a deployment at its current step',
    'pilothouse deployments pause d-m3k1x2ab-0f4c --why "looking at the logs"',
    'Keep the traffic as it is until someone decides',
  ],
  resume: [
    'Continue a paused deployment, or approve its gate',
    'pilothouse deployments resume d-m3k1x2ab-0f4c',
    'Continue at the step where it was paused',
  ],
  skip: [
    'Move a deployment to its next step now',
    'pilothouse deployments skip d-m3k1x2ab-0f4c',
    'End the current step early',
  ],
  promote: [
    'Give the candidate all traffic now, regardless of the judgment',
    'pilothouse deployments promote d-m3k1x2ab-0f4c',
    'Skip all remaining steps',
  ],
  abort: [
    'Stop a deployment and roll its candidate back',
    'pilothouse deployments abort d-m3k1x2ab-0f4c',
    'Return all traffic to the stable release',
  ],
}

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
  const sessionRequest = (values: Values): SessionRequest => {
    const { system, out, err, person } = surroundings
    const { utc, local } = program.opts<{ utc?: boolean; local?: boolean }>()
    const config = requestOf(values, system)
    return {
      config,
      out,
      err,
      person,
      isJson: values.json ?? false,
      zone: utc ? 'utc' : local ? 'local' : null,
      next: (words) => nextCommand(words, config),
    }
  }
  const run = async (values: Values, command: (session: Session) => Promise<number>) =>
    done(await withEngine(sessionRequest(values), command))
  const add = (parent: Command, name: string, description: string, examples: Record<string, string>) =>
    withExamples(withJsonOption(withPlaceOptions(parent.command(name))), examples).description(description)
  const dangerous = (command: Command) =>
    command
      .option('--why <text>', 'Reason, for the audit log', '')
      .option('-y, --yes', 'Do not ask for confirmation, even in production')
  /** What begins a deployment. */
  const superseding = (command: Command) =>
    dangerous(command).option('--supersede', 'Roll back the deployment in progress and take its place')
  const confirmed = ({ why, yes = false }: Reasons) => ({ why, isConfirmed: yes })
  const begun = (values: Reasons & { watch?: boolean }) => ({
    ...confirmed(values),
    isWatched: values.watch ?? false,
    isSuperseding: values.supersede ?? false,
  })

  add(program, 'open', 'Open the screens of the running engine in the browser', {
    'pilothouse open': 'Open a page in the browser',
    'pilothouse open --print': 'Print an address that opens one page within the hour',
  })
    .option('--print', 'Print the address instead of opening it')
    .action((values: Values & { print?: boolean }) =>
      run(values, (session) => openPage(values.print ?? false, session)),
    )

  interface DeployValues extends Values, Reasons {
    preset?: PlanOptions['preset']
    strategy?: PlanOptions['preset']
    set?: Record<string, string>
    steps?: PlanOptions['steps']
    maxTime?: number
    watch?: boolean
    dryRun?: boolean
    interactive?: boolean
  }
  superseding(
    add(program, 'deploy', 'Deploy a release through a canary that is judged at each step', {
      'pilothouse deploy shop r42 --watch': 'Deploy r42 and follow it; the exit code reports the outcome',
      'pilothouse deploy shop r42 --dry-run': 'Print the plan and the results of the checks',
      'pilothouse deploy shop r42 --steps 5:1m,25:2m,50:5m:gate':
        'Set the steps; the last waits for approval',
      'pilothouse deploy shop r42 --set limits.maxErrorRatio=2% --set instances=3':
        'Set other settings of `deploy:` for this deployment',
    }),
  )
    .argument('[service]', 'Name of the service; with --interactive it is asked for')
    .argument('[release]', 'Release to deploy; with --interactive it is asked for')
    .addOption(new Option('--preset <preset>', 'Preset of steps and limits').choices(presets))
    .addOption(new Option('--strategy <preset>', 'Earlier name of --preset').choices(presets))
    .option(
      '--steps <list>',
      'Steps, each weight:hold or weight:hold:gate, separated by commas',
      stepsArgument,
    )
    .option('--max-time <duration>', 'Maximum duration of the deployment', durationArgument)
    .option('--set <KEY=VALUE>', 'Setting of `deploy:` for this deployment only; repeatable', pairArgument)
    .option('-w, --watch', watchText)
    .option('--dry-run', 'Print the plan and the results of the checks; change nothing')
    .option('-i, --interactive', 'Prompt for missing values')
    .action((service: string | undefined, releaseId: string | undefined, values: DeployValues) => {
      const preset = values.preset ?? values.strategy
      return run(values, (session) =>
        deploy(
          {
            service,
            releaseId,
            options: {
              ...planOptionsSet(values.set ?? {}),
              ...(preset ? { preset } : {}),
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
      )
    })
  add(program, 'validate', 'Run the checks of a release without deploying it', {
    'pilothouse validate shop r42': 'Exit with 1 if a required check fails',
  })
    .argument('<service>', serviceText)
    .argument('<release>', 'Release to check')
    .action((service: string, releaseId: string, values: Values) =>
      run(values, (session) => validate(service, releaseId, session)),
    )

  const deployments = program.command('deployments').description('List, follow and control deployments')
  add(deployments, 'list', 'List deployments, newest first', {
    'pilothouse deployments list --service shop': 'List those of one service',
    'pilothouse deployments list --text timeout --limit 100': 'Search in the last deployments',
  })
    .option('--service <name>', 'Only deployments of this service')
    .option('--text <words>', 'Only deployments that mention this text')
    .option('--limit <count>', 'Number of deployments', countArgument(500), 20)
    .action((values: Values & DeploymentFilter) =>
      run(values, (session) => {
        const { service, text, limit } = values
        return listDeployments({ limit, ...(service ? { service } : {}), ...(text ? { text } : {}) }, session)
      }),
    )
  add(deployments, 'show', 'Show one deployment with its plan, judgment and log', {
    'pilothouse deployments show d-m3k1x2ab-0f4c': 'Show it as it is now',
    'pilothouse deployments show d-m3k1x2ab-0f4c --watch': 'Follow it until it ends',
  })
    .argument('<id>', deploymentText)
    .option('-w, --watch', watchText)
    .action((id: string, values: Values & { watch?: boolean }) =>
      run(values, (session) => showDeployment(id, values.watch ?? false, session)),
    )
  for (const [order, [description, example, effect]] of Object.entries(orderHelp))
    dangerous(add(deployments, order, description, { [example]: effect }))
      .argument('<id>', deploymentText)
      .action((id: string, values: Values & Reasons) =>
        run(values, (session) => steer(order as Order, id, confirmed(values), session)),
      )
  superseding(
    add(deployments, 'retry', 'Deploy the candidate of an earlier deployment again, with the same plan', {
      'pilothouse deployments retry d-m3k1x2ab-0f4c --watch': 'Retry and follow it until it ends',
    }),
  )
    .argument('<id>', deploymentText)
    .option('-w, --watch', watchText)
    .action((id: string, values: Values & Reasons & { watch?: boolean }) =>
      run(values, (session) => retry(id, begun(values), session)),
    )
  superseding(
    add(deployments, 'undo', 'Return a service to an earlier release, without steps', {
      'pilothouse deployments undo shop': 'Return to the stable release before this one',
      'pilothouse deployments undo shop r40 --why "r41 loses orders"': 'Return to r40, with a reason',
    }),
  )
    .argument('<service>', serviceText)
    .argument('[release]', 'Release to return to; if left out, the stable release before this one')
    .option('-w, --watch', watchText)
    .action(
      (service: string, releaseId: string | undefined, values: Values & Reasons & { watch?: boolean }) =>
        run(values, (session) => undo(service, releaseId, begun(values), session)),
    )

  interface RollbackValues extends Values, Reasons {
    all?: boolean
    list?: boolean
  }
  dangerous(
    add(program, 'rollback', 'Emergency rollback: stop deployments and return all traffic at once', {
      'pilothouse rollback shop': 'Return all traffic of shop to its stable release',
      'pilothouse rollback --all --yes': 'Roll back every service that can return at once, without asking',
      'pilothouse rollback --list': 'List which services can return, from which release to which',
    }),
  )
    .argument('[service]', serviceText)
    .option('--all', 'Roll back every service that can return at once')
    .option('--list', 'List what can be rolled back; change nothing')
    .action(async (service: string | undefined, values: RollbackValues, command: Command) => {
      const { all = false, list = false } = values
      if ([service !== undefined, all, list].filter(Boolean).length !== 1)
        command.error('error: name one service, or add --all or --list')
      if (list) return done(await listWaysBack(sessionRequest(values)))
      done(await rollback({ service, ...confirmed(values) }, sessionRequest(values)))
    })
  dangerous(
    add(program, 'resume', 'Resume automation of a service after an emergency rollback', {
      'pilothouse resume shop --why "r42 is withdrawn"': 'Allow deployments and scaling again',
    }),
  )
    .argument('<service>', serviceText)
    .action((service: string, values: Values & Reasons) =>
      run(values, (session) => resumeService(service, confirmed(values), session)),
    )

  dangerous(
    add(program, 'services', 'Show services with their traffic, or restart, declare or remove one', {
      'pilothouse services': 'List all services with instances, requests and errors',
      'pilothouse services shop': 'Show releases and instances of one service',
      'pilothouse services shop restart': 'Restart its instances one at a time',
      'pilothouse services shop declare shop.yaml': 'Add or change a service without the configuration file',
      'pilothouse services shop remove --yes': 'Stop and remove a declared service; its history is kept',
    }),
  )
    .argument('[name]', serviceText)
    .addArgument(
      new Argument('[action]', 'What to do')
        .choices(['show', 'restart', 'declare', 'declaration', 'remove'])
        .default('show'),
    )
    .argument('[file]', 'declare: file with the settings of the service; - reads standard input')
    .option('--release <id>', 'restart: only instances of this release')
    .option('--instance <id>', 'restart: only this instance')
    .action(
      (
        name: string | undefined,
        action: string,
        file: string | undefined,
        values: Values & Reasons & { release?: string; instance?: string },
        command: Command,
      ) => {
        if (name === undefined || action === 'show')
          return run(values, (session) => showServices(name, session))
        if (action === 'restart') {
          const { release, instance } = values
          const which = {
            ...(release ? { releaseId: release } : {}),
            ...(instance ? { instanceId: instance } : {}),
          }
          return run(values, (session) =>
            restartService({ service: name, ...which, ...confirmed(values) }, session),
          )
        }
        if (action === 'declaration') return run(values, (session) => showDeclaration(name, session))
        if (action === 'remove')
          return run(values, (session) => removeService(name, confirmed(values), session))
        if (file === undefined) return command.error('error: write: services NAME declare FILE')
        return run(values, (session) =>
          declareService({ service: name, file, ...confirmed(values) }, session),
        )
      },
    )
  add(program, 'logs', 'Show the newest log lines of the instances of a service', {
    'pilothouse logs shop': 'Show the last 100 lines',
    'pilothouse logs shop --release r42 --follow': 'Follow the lines of one release',
  })
    .argument('<service>', serviceText)
    .option('--release <id>', 'Only lines of this release')
    .option('--lines <count>', 'Number of lines', countArgument(2000), 100)
    .option('-f, --follow', 'Wait for new lines and show them, until Ctrl-C')
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
  add(program, 'releases', 'List, add and compare releases of a service', {
    'pilothouse releases shop': 'List its releases, newest first',
    'pilothouse releases shop add r42 --env MODE=fast -- node server.js': 'Add a release; nothing is started',
    'pilothouse releases shop compare r41 r42': 'Compare two releases and their figures',
  })
    .argument('<service>', serviceText)
    .addArgument(new Argument('[action]', 'What to do').choices(['list', 'add', 'compare']).default('list'))
    .argument('[words...]', 'add: ID -- COMMAND...; compare: FROM TO')
    .option('--env <NAME=VALUE>', 'add: environment variable; repeatable', pairArgument)
    .option('--parameter <NAME=VALUE>', 'add: parameter stored with it; repeatable', pairArgument)
    .option('--cwd <path>', 'add: working directory')
    .option('--note <text>', 'add: description', '')
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

  const audit = program.command('audit').description('Show, verify and export the audit log')
  add(audit, 'list', 'List audit entries, newest first', {
    'pilothouse audit list --target shop': 'List what was done to one service',
  })
    .option('--actor <name>', 'Only entries of this actor')
    .option('--target <name>', 'Only entries about this target')
    .option('--limit <count>', 'Number of entries', countArgument(1000), 50)
    .action((values: Values & AuditFilter) =>
      run(values, (session) => {
        const { actor, target, limit } = values
        return listAudit({ limit, ...(actor ? { actor } : {}), ...(target ? { target } : {}) }, session)
      }),
    )
  add(audit, 'verify', 'Verify that the audit log is complete and unchanged', {
    'pilothouse audit verify': 'Exit with 1 if an entry was changed or removed',
    'pilothouse audit verify --against audit.jsonl': 'Compare with an export that is stored elsewhere',
  })
    .option('--against <file>', 'Earlier export, or log file of the engine, to compare with')
    .action(async (values: Values & { against?: string }) =>
      done(await verifyAudit(values.against, sessionRequest(values))),
    )
  add(audit, 'export', 'Export the whole audit log', {
    'pilothouse audit export --out audit.jsonl': 'Write it to a new file',
    'pilothouse audit export --format csv': 'Print it as CSV',
  })
    .addOption(new Option('--format <format>', 'Format').choices(['jsonl', 'csv']).default('jsonl'))
    .option('--out <file>', 'New file to write (default: standard output)')
    .action((values: Values & { format: 'jsonl' | 'csv'; out?: string }) =>
      run(values, (session) => exportAudit(values.format, values.out, session)),
    )
}
