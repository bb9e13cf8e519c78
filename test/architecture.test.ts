import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { answerForms } from '../src/recipe/answer-forms.ts';
import { taskNames } from '../src/recipe/task.ts';

const SRC = path.resolve(import.meta.dirname, '../src');

/** The layer table of docs/architecture.md, lowest first: a folder imports from lower layers or from inside itself. */
const LAYERS: readonly (readonly string[])[] = layersIn(
  readFileSync(path.resolve(import.meta.dirname, '../docs/architecture.md'), 'utf8'),
);

function layersIn(text: string): string[][] {
  const layers: string[][] = [];
  for (const [, layer, name] of text.matchAll(/^\| (\d+) +\| `src\/([^`/]+)\/?` +\|/gm))
    (layers[Number(layer)] ??= []).push(name!);
  return layers;
}

/** A package that only some places may import, by the reason given in docs/architecture.md. */
const PACKAGES: readonly { readonly pattern: RegExp; readonly allowed: readonly RegExp[] }[] = [
  {
    pattern: /^@tensorflow\//,
    allowed: [/^(trace|networks|files|tasks|answers|train|distill|compress|teachers)\//, /^places\/tensorflow\//],
  },
  { pattern: /^onnxruntime-node/, allowed: [/^runtime\/onnxruntime\//] },
  { pattern: /^(koffi|@litertjs\/|tfjs-tflite-node)/, allowed: [/^runtime\//, /^places\/mpi\//] },
  // Types only: html/chart.ts alone loads it, at the first chart.
  { pattern: /^echarts/, allowed: [/^report\/html\//] },
  { pattern: /^winston$/, allowed: [/^base\/log\.ts$/] },
  { pattern: /^yargs/, allowed: [/^cli\.ts$/, /^commands\//] },
  {
    pattern: /^(node:)?fs(\/promises)?$/,
    allowed: [/^(?!(graph|trace|formats|compress|convert)\/)/],
  },
];

/** Files that a process, a thread or a page begins with, which fill the registries of features first. */
const ENTRIES: ReadonlySet<string> = new Set([
  'answers/next-token/completions/process.ts',
  'data/batches/prefetch-worker.ts',
  'page/browser/serve.ts',
  'run/at-once-process.ts',
  'serve/reading/process.ts',
  'serve/worker/worker.ts',
]);

interface Import {
  readonly from: string;
  readonly to: string;
}

function sourceFiles(folder = SRC): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.split(path.sep).join('/'))
    .sort();
}

/** Static, type-only, dynamic and re-export specifiers of one file. */
function specifiers(text: string): string[] {
  const pattern =
    /(?:^|\n)\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g;
  return [...text.matchAll(pattern)].map((match) => (match[1] ?? match[2] ?? match[3])!);
}

function imports(): Import[] {
  return sourceFiles()
    .flatMap((file) =>
      specifiers(readFileSync(path.join(SRC, file), 'utf8')).map((specifier) => ({
        from: file,
        to: specifier.startsWith('.') ? path.posix.join(path.posix.dirname(file), specifier) : specifier,
      })),
    )
    .filter(({ from, to }) => !/^(features|browser)\.ts$/.test(to) || !ENTRIES.has(from));
}

const textOf = (file: string): string => readFileSync(path.join(SRC, file), 'utf8');

/** Files that a file loads at once, each with what it imports by value. */
function reachedFrom(entry: string): Map<string, readonly string[]> {
  const values = /(?:^|\n)(?:import|export)\s+(?!type\b)(?:[^'";]*?\bfrom\s+)?['"]([^'"]+)['"]/g;
  const found = new Map<string, readonly string[]>();
  const waiting = [entry];
  for (const file of waiting) {
    const imported = [...textOf(file).matchAll(values)].map(([, to]) => to!);
    found.set(file, imported);
    for (const to of imported) {
      const other = path.posix.join(path.posix.dirname(file), to);
      if (to.startsWith('.') && !waiting.includes(other)) waiting.push(other);
    }
  }
  return found;
}

function layerOf(file: string): number {
  const folder = file.split('/')[0]!;
  return LAYERS.findIndex((names) => names.includes(folder));
}

/** The rule itself, apart from the files, so that it can be seen to fail. */
function violation({ from, to }: Import): string | undefined {
  const isLocal = to.endsWith('.ts');
  if (!isLocal) {
    const rule = PACKAGES.find(({ pattern }) => pattern.test(to));
    return rule !== undefined && !rule.allowed.some((place) => place.test(from))
      ? `${from} must not import ${to}`
      : undefined;
  }
  const [a, b] = [from.split('/')[0]!, to.split('/')[0]!];
  if (a === b) return undefined;
  if (layerOf(to) === -1) return `${to} is in no layer`;
  return layerOf(to) < layerOf(from) ? undefined : `${from} must not import ${to}: not a lower layer`;
}

function cycles(edges: readonly Import[]): string[] {
  const next = new Map<string, string[]>();
  for (const { from, to } of edges) if (to.endsWith('.ts')) next.set(from, [...(next.get(from) ?? []), to]);
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, trail: readonly string[]): void => {
    if (trail.includes(file)) found.push([...trail.slice(trail.indexOf(file)), file].join(' -> '));
    else if (!done.has(file)) {
      for (const to of next.get(file) ?? []) visit(to, [...trail, file]);
      done.add(file);
    }
  };
  for (const file of next.keys()) visit(file, []);
  return found;
}

describe('architecture', () => {
  const all = imports();

  it('reads the table of the document', () => {
    const text =
      '| 1     | `src/graph/`    | the graph |\n| 0     | `src/base/`     | errors |\n| 1     | `src/cli.ts`   | x |\n';
    expect(layersIn(text)).toEqual([['base'], ['graph', 'cli.ts']]);
    expect(LAYERS.length).toBe(15);
    expect(LAYERS.flat().sort()).toEqual(readdirSync(SRC).sort());
  });

  it('places every source file in a layer', () => {
    expect(sourceFiles().filter((file) => layerOf(file) === -1)).toEqual([]);
  });

  it('has no import upward, sideways or of a package that belongs elsewhere', () => {
    expect(all.map(violation).filter((message) => message !== undefined)).toEqual([]);
  });

  it('lets the serving plane import nothing of training', () => {
    const folders = [
      ...['base', 'data', 'files', 'folder', 'formats', 'graph', 'measure', 'recipe', 'report', 'runtime'],
      // How scores are written, on the page of a run.
      'tasks/score.ts',
    ];
    const others = all
      .filter(({ from, to }) => /^(serve|page)\//.test(from) && /\.ts$/.test(to) && !/^(serve|page)\//.test(to))
      .filter(({ to }) => !folders.includes(to) && !folders.includes(to.split('/')[0]!));
    expect(others).toEqual([]);
    const between = all.filter(({ from, to }) => /^serve\//.test(from) && /^page\//.test(to));
    expect(between).toEqual([]);
  });

  it('has no import cycle', () => {
    expect(cycles(all)).toEqual([]);
  });

  it('lets the converter reach neither native modules nor files, and little of the rest', () => {
    const reached = reachedFrom('convert/index.ts');
    const folders = /^(base|graph|formats|convert|compress\/quantize)\//;
    expect([...reached.keys()].filter((file) => !folders.test(file))).toEqual([]);
    const packages = new Set([...reached.values()].flat().filter((to) => !to.startsWith('.')));
    expect([...packages].sort()).toEqual([
      ...['@bufbuild/protobuf', '@bufbuild/protobuf/codegenv2', '@bufbuild/protobuf/wire'],
      ...['fflate', 'flatbuffers'],
    ]);
    expect([...reached.keys()].filter((file) => file.startsWith('formats/keras/'))).toEqual([]);
    const lines = [...reached.keys()].reduce((sum, file) => sum + textOf(file).split('\n').length - 1, 0);
    expect(lines).toBeLessThanOrEqual(32_000);
    const keras = reachedFrom('convert/keras.ts');
    expect([...keras.keys()].filter((file) => !folders.test(file))).toEqual([]);
    expect([...keras.values()].flat().filter((to) => to.startsWith('node:'))).toEqual([]);
    expect([...reachedFrom('ship/convert.ts').values()].flat()).toContain('node:fs');
  });

  it('names tasks only in tasks/, the recipe and a registry, where other programs name them, and in what init proposes', () => {
    const others = [
      'commands/terminal/init-answers.ts',
      // KServe has a parameter, and Hugging Face a problem type, of such a name.
      ...['serve/grpc/parse.ts', 'serve/v2/describe.ts', 'serve/v2/request.ts', 'setup/hub/folder.ts'],
      'tools/init/task.ts',
    ];
    // Charts, pruning and verdicts have points of other kinds.
    const asked = taskNames().filter((name) => name !== 'points');
    const names = new RegExp(`['"\`](${asked.join('|')})['"\`]|metadata\\.get\\('task'\\)|score\\.name [!=]==`);
    const naming = sourceFiles().filter((file) => names.test(readFileSync(path.join(SRC, file), 'utf8')));
    const there = new Set(sourceFiles());
    expect(naming.filter((file) => !/^(answers|tasks|recipe)\//.test(file))).toEqual(
      others.filter((file) => there.has(file)),
    );
  });

  it('asks for no form of answers by its name outside the folders of the forms', () => {
    const asking = new RegExp(`\\bform [!=]== '(${answerForms.names().join('|')})'`);
    expect("if (taskRow(task).form !== 'classes') return").toMatch(asking);
    const others = sourceFiles().filter((file) => !file.startsWith('answers/'));
    expect(others.filter((file) => asking.test(readFileSync(path.join(SRC, file), 'utf8')))).toEqual([]);
  });

  it('has the tour of the document: at most eleven files, and each imports the next', () => {
    const text = readFileSync(path.resolve(import.meta.dirname, '../docs/architecture.md'), 'utf8');
    const tour = [...text.matchAll(/^\d+\. `src\/([^`]+)`/gm)].map(([, file]) => file!);
    expect([tour[0], tour.at(-1)]).toEqual(['cli.ts', 'train/step/steps.ts']);
    expect(tour.length).toBeLessThanOrEqual(11);
    const gaps = tour.slice(1).filter((to, i) => !all.some((edge) => edge.from === tour[i] && edge.to === to));
    expect(gaps).toEqual([]);
  });

  it('fills the registries before a program of bench/ asks them', () => {
    const bench = path.resolve(SRC, '../bench');
    const valuesOf = (file: string): string[] =>
      [
        ...readFileSync(file, 'utf8').matchAll(
          /^(?:import|export)\s+(?!type\b)(?:[^'";]*?\bfrom\s+)?'(\.[^']+\.ts)'/gm,
        ),
      ].map(([, to]) => path.resolve(path.dirname(file), to!));
    const reached = (file: string, known = new Set<string>()): Set<string> => {
      if (known.has(file)) return known;
      known.add(file);
      for (const to of valuesOf(file)) reached(to, known);
      return known;
    };
    const files = readdirSync(bench, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => path.join(bench, file));
    const parts = new Set(files.flatMap(valuesOf));
    const asking = files.filter((file) => !parts.has(file) && reached(file).has(path.join(SRC, 'base/registry.ts')));
    expect(asking.length).toBeGreaterThan(15);
    expect(asking.filter((file) => valuesOf(file)[0] !== path.join(SRC, 'features.ts'))).toEqual([]);
  });

  it('leaves nothing half written in folders of users', () => {
    const writing = sourceFiles().filter((file) =>
      readFileSync(path.join(SRC, file), 'utf8').includes('writeFileAtomic('),
    );
    const own = /^(base\/files\.ts|folder\/|observers\/shadow\/|run\/search\/|tools\/compress\/)/;
    expect(writing.filter((file) => !own.test(file))).toEqual([]);
  });

  it('sees type-only, dynamic and re-exported imports', () => {
    const text =
      "import type { A } from '../a.ts';\nexport { b } from './b.ts';\nconst c = await import('./c.ts');\nimport './d.ts';\n";
    expect(specifiers(text)).toEqual(['../a.ts', './b.ts', './c.ts', './d.ts']);
  });

  it.each([
    [{ from: 'graph/a.ts', to: 'trace/b.ts' }, 'not a lower layer'],
    [{ from: 'data/a.ts', to: 'formats/b.ts' }, 'not a lower layer'],
    [{ from: 'run/a.ts', to: 'onnxruntime-node' }, 'must not import'],
    [{ from: 'formats/onnx/a.ts', to: 'node:fs' }, 'must not import'],
    [{ from: 'data/csv.ts', to: '@tensorflow/tfjs-core' }, 'must not import'],
  ])('refuses %j', (edge, reason) => {
    expect(violation(edge)).toContain(reason);
  });

  it('finds a cycle', () => {
    expect(
      cycles([
        { from: 'a.ts', to: 'b.ts' },
        { from: 'b.ts', to: 'a.ts' },
      ]),
    ).toEqual(['a.ts -> b.ts -> a.ts']);
  });
});
