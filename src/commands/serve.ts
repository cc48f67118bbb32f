import {Flags} from '@oclif/core';
import {BaseCommand} from '../cli/base-command.js';
import {configFlags} from '../cli/config-flags.js';
import {paragraphs} from '../cli/paragraphs.js';
import {serve} from '../cli/serve.js';

export default class Serve extends BaseCommand {
  static override summary = 'Serve payment boxes: the device gateway with metrics and health';

  static override description =
    paragraphs(`Listens for devices as the configuration says, until SIGINT or SIGTERM: then it stops
listening, closes the devices over server.drain_timeout and ends with 0. A second signal ends it at once. SIGHUP, or a
change of the files, reads certificates, key and revocation lists anew; connections stay.

Every key of the configuration can be given as --set server.max_frame=4096 or as an environment variable,
PAYNET_SERVER_MAX_FRAME=4096. --set wins over the environment, the environment over the file.

It also runs where code may not be made out of strings:

node --disallow-code-generation-from-strings <path of paynetctl> serve -c config.yaml

Logs go to standard error. With --json the addresses are printed as one line on standard output once devices can
connect.

Exit codes: 0 stopped, 1 cannot start (a port in use, a key that does not fit), 2 wrong configuration or usage.`);

  static override examples = [
    '<%= config.bin %> <%= command.id %> -c /etc/paynet/config.yaml',
    {
      description: 'Check a configuration, its certificates and keys, and print what is in force',
      command: '<%= config.bin %> <%= command.id %> -c config.yaml --check --json',
    },
    {
      description: 'Another port, and metrics on this machine only',
      command:
        '<%= config.bin %> <%= command.id %> -c config.yaml --set server.addr=:8443 --set observe.addr=127.0.0.1:9090',
    },
  ];

  static override flags = {
    ...configFlags,
    check: Flags.boolean({description: 'Check configuration, certificates and keys, and end'}),
  };

  async run(): Promise<unknown> {
    const {flags} = await this.parse(Serve);
    return serve({
      config: flags.config,
      set: flags.set,
      check: flags.check,
      print: (line) => this.print(line),
      record: (value) => this.record(value),
    });
  }
}
