import {cutToWidth} from './display-width.js';

export interface ProgressLine {
  show(text: string): void;
  /** Wipes it; ending twice is fine. */
  end(): void;
}

/** One line on standard error that is written over; silent where that is no terminal. */
export function createProgressLine(isSilent: boolean): ProgressLine {
  const {stderr} = process;
  if (isSilent || !stderr.isTTY) return {show() {}, end() {}};
  let isShown = false;
  return {
    show(text) {
      isShown = true;
      stderr.write(`\r\x1b[K${cutToWidth(text, Math.max((stderr.columns || 80) - 1, 1))}`);
    },
    end() {
      if (isShown) stderr.write('\r\x1b[K');
      isShown = false;
    },
  };
}
