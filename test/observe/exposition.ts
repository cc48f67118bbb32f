export interface Family {
  type: string;
  samples: {name: string; labels: Record<string, string>; value: number}[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\\\\n]|\\\\[\\\\"n])*)"';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (\\S+)$`);

/** Reads Prometheus' text format, strictly: what it does not know is an error. */
export function parseExposition(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, Family>();
  let current = '';
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('# HELP ')) continue;
    const type = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram)$`).exec(line);
    if (type !== null) {
      current = type[1]!;
      if (families.has(current)) throw new Error(`${current} is there twice`);
      families.set(current, {type: type[2]!, samples: []});
      continue;
    }
    const sample = SAMPLE.exec(line);
    const family = families.get(current);
    if (sample === null || family === undefined) throw new Error(`not understood: ${line}`);
    const [, name = '', labelText = ''] = sample;
    const suffixes = family.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    if (!suffixes.some((suffix) => name === current + suffix)) throw new Error(`${name} stands under ${current}`);
    const labels = Object.fromEntries(
      [...labelText.matchAll(new RegExp(LABEL, 'g'))].map(([, key, value]) => [key, value]),
    );
    const value = Number(sample.at(-1));
    if (Number.isNaN(value)) throw new Error(`no number: ${line}`);
    family.samples.push({name, labels, value});
  }
  return families;
}

/** The value of one sample, by name and labels. */
export function sampleOf(
  families: Map<string, Family>,
  name: string,
  labels: Record<string, string> = {},
): number | undefined {
  const samples = [...families.values()].flatMap((family) => family.samples);
  const wanted = JSON.stringify(Object.entries(labels).sort());
  return samples.find(
    (sample) => sample.name === name && JSON.stringify(Object.entries(sample.labels).sort()) === wanted,
  )?.value;
}
