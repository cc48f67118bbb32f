import {CST, Lexer} from 'yaml';

/** A configuration has three levels; this leaves room for mistakes that deserve their own message. */
export const MAX_DEPTH = 64;

/**
 * Finds the place where YAML text nests deeper than `MAX_DEPTH`, or undefined when it nowhere does.
 *
 * The parser is recursive, and a few thousand levels can abort the whole process, which no `catch` sees. The lexer
 * alone is not recursive, so the levels are counted on its tokens before anything is parsed: flow brackets, and in
 * block style the columns where something begins. A value that stands on the line of its key counts as a level too,
 * which errs on the safe side.
 */
export function tooDeepAt(text: string): number | undefined {
  const columns: number[] = [];
  let flow = 0;
  let offset = 0;
  let column = 0;
  for (const token of new Lexer().lex(text)) {
    const type = CST.tokenType(token);
    switch (type) {
      case 'doc-mode':
      case 'flow-error-end':
      case 'scalar':
        if (type === 'scalar') enter(columns, column, flow);
        continue; // A mark of the lexer's own, which is not in the text.
      case 'newline':
        column = -token.length;
        break;
      case 'doc-start':
      case 'doc-end':
        columns.length = 0;
        flow = 0;
        break;
      case 'flow-map-start':
      case 'flow-seq-start':
        flow++;
        break;
      case 'flow-map-end':
      case 'flow-seq-end':
        flow = Math.max(0, flow - 1);
        break;
      case 'seq-item-ind':
      case 'explicit-key-ind':
      case 'map-value-ind':
        enter(columns, column, flow);
        break;
    }
    if (columns.length + flow > MAX_DEPTH) return offset;
    offset += token.length;
    const lineEnd = token.lastIndexOf('\n');
    column = lineEnd < 0 || type === 'newline' ? column + token.length : token.length - lineEnd - 1;
  }
  return undefined;
}

function enter(columns: number[], column: number, flow: number): void {
  if (flow > 0) return;
  while ((columns.at(-1) ?? -1) > column) columns.pop();
  if (columns.at(-1) !== column) columns.push(column);
}
