// What other parts of the server do to commands, or what time has done to them.
import {insertCommand, type NewCommand, withdrawCommand} from '../../src/lib/outbound/index.js';
import {type CommandState, defineOperation, type Params, prepare} from '../../src/lib/store/index.js';

/** An order is cancelled. */
export const withdraw = defineOperation('test.withdraw', (tx, of: {id: string; at: number}) => withdrawCommand(tx, of));

const setState = prepare((db, p: Params<{id: string; state: CommandState}>) =>
  db.updateTable('commands').set({state: p.state}).where('id', '=', p.id),
);

/** Stores many commands, in a state that they have reached in some way. */
export const storeMany = defineOperation(
  'test.storeMany',
  async (tx, {commands, state}: {commands: NewCommand[]; state: CommandState}) => {
    for (const command of commands) {
      await insertCommand(tx, command);
      await tx.run(setState, {id: command.id, state});
    }
  },
);
