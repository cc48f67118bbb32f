import {createHash} from 'node:crypto';
import {API_ERRORS} from './errors.js';
import type {Media, OpenApiDocument, Operation} from './openapi.js';
import type {Schema} from './schema.js';

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:60rem;padding:1rem;color:#1a1a1a;background:#fff}
h1,h2{line-height:1.2}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ddd;vertical-align:top}
details{border:1px solid #ccc;border-radius:.4rem;margin:.5rem 0;padding:.4rem .8rem}summary{cursor:pointer}
code,pre{font:14px/1.4 ui-monospace,monospace}pre{background:#f4f4f4;padding:.6rem;overflow:auto;border-radius:.3rem}
.m{display:inline-block;min-width:3.5rem;font-weight:700}
@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}pre{background:#262626}th,td,details{border-color:#444}}`;

/** The page loads nothing and runs nothing: its one style is allowed by its hash. */
export const DOCS_POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** The interface as one HTML file that needs no other. */
export function docsPage(document: OpenApiDocument): string {
  const byTag = new Map<string, string[]>();
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const tag = operation.tags?.[0] ?? 'other';
      byTag.set(tag, [...(byTag.get(tag) ?? []), operationHtml(method, path, operation)]);
    }
  }
  const sections = [...byTag].map(([tag, parts]) => `<h2>${html(tag)}</h2>\n${parts.join('\n')}`);
  const {title, version, description} = document.info;
  const rows = Object.entries(API_ERRORS).map(
    ([name, {status, code, meaning}]) =>
      `<tr><td><code>${name}</code></td><td>${status}</td><td>${code}</td><td>${html(meaning)}</td></tr>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${html(title)} HTTP interface</title><style>${STYLE}</style></head><body>
<h1>${html(title)} HTTP interface</h1><p>Version ${html(version)} · <a href="openapi.json">OpenAPI document</a></p>
${proseHtml(description)}
${sections.join('\n')}
<h2>errors</h2><table><thead><tr><th>error_code</th><th>HTTP</th><th>code</th><th>meaning</th></tr></thead><tbody>
${rows.join('\n')}
</tbody></table></body></html>
`;
}

function operationHtml(method: string, path: string, operation: Operation): string {
  const {summary, description, parameters, requestBody, responses} = operation;
  const rows = parameters.map(
    ({name, in: place, required, description: what, schema}) =>
      `<tr><td><code>${html(name)}</code></td><td>${html(place)}${required ? ', required' : ''}</td><td>${html(what ?? '')}</td><td><code>${html(JSON.stringify(schema))}</code></td></tr>`,
  );
  const answers = Object.entries(responses)
    .filter(([status]) => status !== 'default')
    .map(([status, {description: what, content}]) => mediaHtml(`Answer ${status}: ${what}`, content));
  return `<details><summary><span class="m">${html(method.toUpperCase())}</span> <code>${html(path)}</code> ${html(summary)}</summary>
${proseHtml(description)}${rows.length === 0 ? '' : `<table><thead><tr><th>parameter</th><th>in</th><th>meaning</th><th>schema</th></tr></thead><tbody>${rows.join('')}</tbody></table>`}
${mediaHtml('Body', requestBody?.content)}${answers.join('')}</details>`;
}

function mediaHtml(title: string, content: Readonly<Record<string, Media>> = {}): string {
  return Object.entries(content)
    .map(([type, {schema, example}]) => {
      const shown = example ?? exampleIn(schema);
      const exampleHtml = shown === undefined ? '' : `<pre>${html(JSON.stringify(shown, undefined, 2))}</pre>`;
      return `<h4>${html(title)} (${html(type)})</h4>${exampleHtml}<details><summary>Schema</summary><pre>${html(JSON.stringify(schema, undefined, 2))}</pre></details>`;
    })
    .join('');
}

/** The example of an envelope stands with its `data`. */
function exampleIn(schema: Schema): unknown {
  const {examples, properties} = schema as {examples?: unknown[]; properties?: {data?: {examples?: unknown[]}}};
  if (examples?.[0] !== undefined) return examples[0];
  const data = properties?.data?.examples?.[0];
  return data === undefined ? undefined : {code: 0, message: 'ok', data, request_id: '…', timestamp: 1_762_863_000};
}

/** Paragraphs and `code`. */
function proseHtml(text: string): string {
  if (text === '') return '';
  return text
    .split('\n\n')
    .map((part) => `<p>${html(part).replace(/`([^`]*)`/g, '<code>$1</code>')}</p>`)
    .join('\n');
}

function html(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
