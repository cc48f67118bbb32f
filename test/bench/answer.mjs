// The child's end of the control channel: named commands in, results out. A child ends with its parent.

/** Serves commands from the parent: each is called with the message's `args` and its result is sent back. */
export function answerCommands(commands) {
  process.on('message', async ({id, command, args}) => {
    try {
      process.send({id, result: await commands[command](args ?? {})});
    } catch (error) {
      process.send({id, error: error instanceof Error ? (error.stack ?? error.message) : String(error)});
    }
  });
  process.on('disconnect', () => process.exit(0));
  // Ctrl-C reaches the whole group; the parent ends its children itself.
  process.on('SIGINT', () => {});
  process.send({ready: true});
}
