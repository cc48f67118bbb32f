/** Text for a help page: line breaks inside a paragraph are the source's own, and the page breaks its lines itself. */
export function paragraphs(text: string): string {
  return text.replace(/([^\n])\n(?=[^\n])/g, '$1 ');
}
