import {Chalk, supportsColor} from 'chalk';

/** Colours for standard output: none where it is no terminal, and none with NO_COLOR, which chalk does not ask for. */
export const color = new Chalk({level: wanted() ? (supportsColor ? supportsColor.level : 0) : 0});

function wanted(): boolean {
  const {NO_COLOR} = process.env;
  return NO_COLOR === undefined || NO_COLOR === '';
}
