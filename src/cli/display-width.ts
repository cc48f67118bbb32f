const graphemes = new Intl.Segmenter(undefined, {granularity: 'grapheme'});
const PLAIN = /^[\x20-\x7e]*$/;
/** Half-width forms are of a wide script, and narrow all the same. */
const NARROW = /[\uff61-\uffdc\uffe8-\uffee]/;
const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6\p{Emoji_Presentation}]|\ufe0f/u;
const MARK = /^\p{M}+$/u;

/** How many columns a text takes on a terminal: a Chinese character takes two. */
export function displayWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const {segment} of graphemes.segment(text)) width += widthOf(segment);
  return width;
}

/** The text, cut to so many columns; an ellipsis shows that it was. */
export function cutToWidth(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  let cut = '';
  let width = 0;
  for (const {segment} of graphemes.segment(text)) {
    width += widthOf(segment);
    if (width > columns - 1) break;
    cut += segment;
  }
  return `${cut.trimEnd()}…`;
}

function widthOf(grapheme: string): number {
  if (MARK.test(grapheme)) return 0;
  return WIDE.test(grapheme) && !NARROW.test(grapheme) ? 2 : 1;
}
