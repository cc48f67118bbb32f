import {basename, relative, resolve} from 'node:path';
import {Flags} from '@oclif/core';
import {BaseCommand} from '../cli/base-command.js';
import {color} from '../cli/color.js';
import {paragraphs} from '../cli/paragraphs.js';
import {onInterrupt} from '../cli/signals.js';
import {timelineLine} from '../cli/timeline.js';
import {PaynetError} from '../lib/errors.js';
import {type Quickstart as Flow, quickstart} from '../lib/quickstart.js';

export default class Quickstart extends BaseCommand {
  static override summary = 'See a payment box work: server, device and a coin order on this machine';

  static override description =
    paragraphs(`Makes a certificate authority, certificates and a configuration in a folder, starts a
server and a merchant's receiver of webhooks, connects simulated devices over TLS 1.3 with client certificates, places
one coin order through the HTTP interface and prints the conversation as it happens. Then it stays up until Ctrl-C; with --once it ends after the flow.

Exit codes: 0 every step worked, 1 a step failed, 2 wrong usage.`);

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --once --devices 3',
    '<%= config.bin %> <%= command.id %> --once --json',
  ];

  static override flags = {
    dir: Flags.string({
      description: 'Folder for certificates and configuration',
      default: './paynet-quickstart',
      helpValue: 'DIR',
    }),
    devices: Flags.integer({char: 'n', description: 'Simulated devices', default: 1, min: 1, max: 100}),
    once: Flags.boolean({description: 'End after the flow'}),
  };

  async run(): Promise<unknown> {
    const {flags} = await this.parse(Quickstart);
    const interruption = onInterrupt();
    const flow = await quickstart({
      dir: resolve(flags.dir),
      devices: flags.devices,
      signal: interruption.signal,
      tell: (moment) => this.print(timelineLine(moment)),
    });
    try {
      if (flow.ok && !flags.once) {
        this.#whatNext(flow);
        await interruption.interrupted;
        this.talk('\nStopping …');
      }
    } finally {
      await flow.stop();
      interruption.release();
    }
    return this.#result(flow);
  }

  #result(flow: Flow): unknown {
    const failed = flow.steps.find(({ok}) => !ok);
    if (failed !== undefined) {
      throw new PaynetError('STEP_FAILED', `${failed.name}: ${failed.error}`, {
        hint: 'The lines above say how far it came; `paynetctl doctor` looks at the machine.',
      });
    }
    this.print(color.green(`All ${flow.steps.length} steps worked.`));
    return {ok: flow.ok, steps: flow.steps, address: flow.address, api: flow.api, files: flow.files};
  }

  #whatNext({address, api, observe, files}: Flow): void {
    const show = (path: string): string => relative('', path);
    const port = address?.port ?? 0;
    this.talk(`
${color.bold('It works, and stays up until Ctrl-C.')} Meanwhile, in another terminal:
  ${self()} context add quickstart --server http://127.0.0.1:${api?.port} --key-file ${show(files.apiKey)}
  ${self()} order create --device device001 --coins 3 --wait
      (your browser shows the interface at http://127.0.0.1:${api?.port}/api/docs)
  curl http://127.0.0.1:${observe?.port}/metrics
  openssl s_client -connect 127.0.0.1:${port} -CAfile ${show(files.ca)} -quiet
      (refused: no client certificate)
Afterwards, the same in two terminals:
  ${self()} serve -c ${show(files.serverConfig)}
  ${self()} simulate device -c ${show(files.deviceConfig)}
`);
  }
}

/** How this command was called: by its name, or as a script of a clone. */
function self(): string {
  const script = process.argv[1] ?? '';
  return basename(script) === 'run.js' ? `node ${relative('', script)}` : 'paynetctl';
}
