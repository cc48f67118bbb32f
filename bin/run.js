#!/usr/bin/env node
// A reader that has seen enough (`| head`) ends the command quietly.
process.stdout.on('error', (error) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

if (mayMakeCode()) {
  const {execute} = await import('@oclif/core');
  await execute({dir: import.meta.url});
} else if (process.argv[2] === 'serve') {
  const {runHardened} = await import('../dist/cli/hardened.js');
  await runHardened(process.argv.slice(3));
} else {
  process.stderr.write('Error: under --disallow-code-generation-from-strings only `paynetctl serve` runs\n');
  process.exitCode = 2;
}

function mayMakeCode() {
  try {
    return new Function('return true')();
  } catch {
    return false;
  }
}
