import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

const SRC = path.resolve(import.meta.dirname, '../src');

/** Names that two files may define, with the reason. */
const PAIRS: Readonly<Record<string, string>> = {
  batchNormTrain: 'the function for networks and the rule for blocked activations have the name of the op',
};

/**
 * Parts of src/ whose names are their own: `ops` are tables by op, one for each interpretation of the graph, so a name is that of an op or of a
 * family of ops; `features` fill the same slots, each in a folder of its own; `generated` names come from a .proto file; `browser` is a program of its own,
 * and nothing else imports it.
 */
const WORLDS: Readonly<Record<string, RegExp>> = {
  generated: /_pb\.ts$/,
  ops: /^(graph\/ops|trace\/(kernels|interpret)|formats\/(onnx|tflite)\/lower)\//,
  features:
    /^((answers|consumers|methods|observers|places|samples|teachers|(data|files)\/formats)\/[^/]+|data\/readers)\/(?!shown\.ts$)/,
  browser: /^((convert-)?page\/browser\/|answers\/[^/]+\/shown\.ts$|browser\.ts$)/,
};

/** Names that a file defines and exports, without those that it passes on and those in scripts that it holds as text. */
function exportedNames(text: string): string[] {
  const pattern =
    /^export (?:declare )?(?:abstract )?(?:async )?(?:function\*?|class|const|let|interface|type|enum) ([\w$]+)/;
  let isInText = false;
  return text.split('\n').flatMap((line) => {
    if (/^\s*(\/?\*|\/\/)/.test(line)) return [];
    const [, name] = isInText ? [] : (pattern.exec(line) ?? []);
    if (line.split('`').length % 2 === 0) isInText = !isInText;
    return name === undefined ? [] : [name];
  });
}

function worldOf(file: string): string | undefined {
  return Object.keys(WORLDS).find((world) => WORLDS[world]!.test(file));
}

/** Names that two files define which are not both of worlds with names of their own, nor one of them of a world apart. */
function shared(files: readonly (readonly [file: string, names: readonly string[]])[]): Map<string, string[]> {
  const places = new Map<string, string[]>();
  for (const [file, names] of files) for (const name of names) places.set(name, [...(places.get(name) ?? []), file]);
  const clashes = [...places].flatMap(([name, all]) => {
    const counted = all.filter((file) => !['generated', 'browser'].includes(worldOf(file) ?? ''));
    const areTheirOwn = counted.every((file) => worldOf(file) === 'ops' || worldOf(file) === 'features');
    return counted.length > 1 && !areTheirOwn ? [[name, counted] as const] : [];
  });
  return new Map(clashes);
}

describe('exported names', () => {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .map((file) => file.split(path.sep).join('/'))
    .sort()
    .map((file) => [file, exportedNames(readFileSync(path.join(SRC, file), 'utf8'))] as const);
  const found = shared(files);

  it('mean one thing each: no two files define the same one', () => {
    const clashes = [...found].filter(([name]) => !Object.hasOwn(PAIRS, name));
    expect(clashes.map(([name, places]) => `${name}: ${places.join(', ')}`)).toEqual([]);
  });

  it('stand in the list of exceptions only while two files define them', () => {
    expect(Object.keys(PAIRS).filter((name) => !found.has(name))).toEqual([]);
  });

  it('of the page are not imported by other parts', () => {
    const importing = files
      .map(([file]) => file)
      .filter((file) => worldOf(file) !== 'browser')
      .filter((file) => /from '[^']*page\/browser\//.test(readFileSync(path.join(SRC, file), 'utf8')));
    expect(importing).toEqual([]);
  });

  it.each([
    ['export const a = `1`;\nconst b = 2;\nexport const c = 3;', ['a', 'c']],
    ['export async function f() {}\nexport class G {}\nexport type T = string;', ['f', 'G', 'T']],
    ["export { x } from './x.ts';\n/** `in one line */\nexport const z = `\nexport const y = 1;`;", ['z']],
  ])('are read from %j', (text, names) => {
    expect(exportedNames(text)).toEqual(names);
  });

  it.each([
    [['a.ts', 'b/c.ts'], true],
    [['graph/ops/norm.ts', 'trace/kernels/norm.ts'], false],
    [['graph/ops/norm.ts', 'data/norm.ts'], true],
    [['page/browser/make.ts', 'ship/make.ts'], false],
  ])('clash in %j: %j', (places, clashes) => {
    expect(shared(places.map((file) => [file, ['norm']] as const)).size > 0).toBe(clashes);
  });
});
