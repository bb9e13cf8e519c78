export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Prometheus' text format 0.0.4, as servers expose it: samples in their order, and what the metrics say of themselves. */
export function parseExposition(text: string): {
  samples: Sample[];
  help: Map<string, string>;
  type: Map<string, string>;
} {
  const samples: Sample[] = [];
  const help = new Map<string, string>();
  const type = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, comment, of, rest] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (comment !== undefined) (comment === 'HELP' ? help : type).set(of!, rest!);
    if (line.startsWith('#')) continue;
    const [, name, labels = '', value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
    if (name !== undefined) samples.push({ name, labels: labelsOf(labels), value: numberOf(value!) });
  }
  return { samples, help, type };
}

function labelsOf(text: string): Record<string, string> {
  const pairs = [...text.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)];
  return Object.fromEntries(
    pairs.map(([, name, value]) => [
      name!,
      value!.replace(/\\(.)/g, (_, sign) => (sign === 'n' ? '\n' : String(sign))),
    ]),
  );
}

function numberOf(text: string): number {
  return text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text);
}
