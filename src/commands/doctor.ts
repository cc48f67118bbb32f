import {tmpdir} from 'node:os';
import {Flags} from '@oclif/core';
import {BaseCommand} from '../cli/base-command.js';
import {checkText, summaryText} from '../cli/doctor-text.js';
import {examine, type Report} from '../lib/doctor/index.js';
import {ExitCode} from '../lib/errors.js';

export default class Doctor extends BaseCommand {
  static override summary = 'Look for what is wrong with this machine or an installation';

  static override description =
    `Looks at Node, descriptors, memory, allocator, disk, clock and the kernel's backlog; with the \
configuration of a server also at that configuration, its certificates and keys, its ports and its Redis. Each check is \
ok, a warning, a problem, or skipped, with what was found and what to do. Run it as the user and in the environment of \
the server: limits and allocator are those of this process.

Exit codes: 0 no problem (there may be warnings), 1 a problem, 2 wrong usage.`;

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    {
      description: 'An installation, and the disk that its data is to be on',
      command: '<%= config.bin %> <%= command.id %> -c /etc/paynet/config.yaml --dir /var/lib/paynet',
    },
    {
      description: 'For a program',
      command: '<%= config.bin %> <%= command.id %> -c config.yaml --json',
    },
  ];

  static override flags = {
    config: Flags.string({char: 'c', description: 'Configuration file of a server (YAML)', helpValue: 'FILE'}),
    dir: Flags.string({
      description: 'Folder whose disk is tried; the one for temporary files unless given',
      helpValue: 'DIR',
    }),
  };

  async run(): Promise<Report> {
    const {flags} = await this.parse(Doctor);
    const report = await examine({config: flags.config, dir: flags.dir ?? tmpdir()});
    for (const check of report.checks) this.print(checkText(check));
    this.print();
    this.print(summaryText(report));
    if (!report.ok) process.exitCode = ExitCode.failed;
    return report;
  }
}
